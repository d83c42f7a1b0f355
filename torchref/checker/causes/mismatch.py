"""What a diagnosis works on, and what it says."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from torchref.checker.execution.arithmetic import SAME


@dataclass(frozen=True)
class Hypothesis:
    """A cause that fits, and the numbers that make it fit.

    `vague` is what may well have another cause behind it.
    """

    cause: str
    evidence: str
    vague: bool = False


@dataclass(frozen=True)
class Mismatch:
    """A wrong gradient beside the true one, and all that was there when it was computed.

    `wrong` marks the entries that differ. `values` are tensors by name that may take part in a
    rule (arguments, outputs), `others` the true gradients of the other arguments and `claims`
    those that were returned, `numbers` sizes and scalars by what they are, `indices` integer
    tensors by name, `masks` boolean ones, `incoming` the gradients of the outputs. `rounding` is
    the relative distance within which two numbers are the same.
    """

    name: str
    got: Tensor
    true: Tensor
    wrong: Tensor
    values: Mapping[str, Tensor] = field(default_factory=dict)
    others: Mapping[str, Tensor] = field(default_factory=dict)
    claims: Mapping[str, Tensor] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    indices: Mapping[str, Tensor] = field(default_factory=dict)
    masks: Mapping[str, Tensor] = field(default_factory=dict)
    incoming: Mapping[str, Tensor] = field(default_factory=dict)
    rounding: float = SAME

    @property
    def fraction(self) -> float:
        """How much of the gradient is wrong."""
        return float(self.wrong.double().mean()) if self.wrong.numel() else 0.0
