"""Normalisations: the standardised x and its relatives, each then scaled and shifted.

Layer, batch, group and instance norm are one formula over other dimensions: `Standardisation`. In
evaluation batch norm has fixed moments, `FixedStandardisation`; without the mean it is `RMSNorm`;
and vectors of length one are `UnitNorm`. `steps` holds the backwards before they are collapsed.
"""

from torchref.ops.normalisation.rms_norm import RMSNorm
from torchref.ops.normalisation.standardisation import FixedStandardisation, Standardisation
from torchref.ops.normalisation.steps import rms_norm_steps, standardisation_steps
from torchref.ops.normalisation.unit_norm import UnitNorm

__all__ = [
    "FixedStandardisation",
    "RMSNorm",
    "Standardisation",
    "UnitNorm",
    "rms_norm_steps",
    "standardisation_steps",
]
