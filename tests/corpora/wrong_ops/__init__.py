"""Ops that are wrong on purpose, each beside its mended form."""

from . import (
    attention,
    boundary_values,
    degenerate_probes,
    equal_singular_values,
    forward_rules,
    ignored_cotangent,
    integer_offsets,
    layouts,
    leaking_state,
    learners_losses,
    learners_network,
    loss_normalisation,
    missing_reduction,
    missing_terms,
    nondeterminism,
    normalisation,
    overwritten_buffers,
    padding_and_blocks,
    precision,
    requires_grad_subsets,
    rows_and_segments,
    second_order,
    slots_and_orientation,
    ties_and_duplicates,
    uninitialised_memory,
    vmap_rules,
    wrong_factor,
    zero_factors,
)
from .planted import CAUSES, PlantedBug

FAMILIES = (
    ignored_cotangent,
    overwritten_buffers,
    layouts,
    attention,
    normalisation,
    missing_reduction,
    wrong_factor,
    slots_and_orientation,
    rows_and_segments,
    boundary_values,
    zero_factors,
    equal_singular_values,
    padding_and_blocks,
    uninitialised_memory,
    integer_offsets,
    loss_normalisation,
    missing_terms,
    requires_grad_subsets,
    second_order,
    precision,
    leaking_state,
    nondeterminism,
    ties_and_duplicates,
    degenerate_probes,
    forward_rules,
    vmap_rules,
    learners_network,
    learners_losses,
)

PLANTED: tuple[PlantedBug, ...] = tuple(
    bug for family in FAMILIES for bug in vars(family).values() if isinstance(bug, PlantedBug)
)

__all__ = ["CAUSES", "PLANTED", "PlantedBug"]
