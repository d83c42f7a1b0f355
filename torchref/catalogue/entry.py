"""What the catalogue knows of an op of torchref."""

from dataclasses import dataclass, field
from typing import Literal

from torchref.catalogue.op_case import Inputs, OpCase, chance, normal
from torchref.ops import Op

__all__ = ["Entry", "Inputs", "chance", "normal"]


@dataclass(frozen=True)
class Entry(OpCase):
    """A handwritten op, its twin, and inputs in float64: it may be differentiated twice."""

    op: type[Op]
    order: Literal[1, 2] = field(default=2, kw_only=True)
