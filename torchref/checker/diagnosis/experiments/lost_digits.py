"""A gradient that is nearly right: what is lost is rounding, of some precision."""

from collections.abc import Iterator

import torch
from torch import Tensor

from torchref.checker.causes.mismatch import Hypothesis
from torchref.checker.execution.arithmetic import typical_size
from torchref.checker.execution.numbers import dtype_name
from torchref.checker.execution.run import Run
from torchref.checker.oracles.rounding import NEARLY, gradients_nudged, is_rough

NUDGES = {torch.float32: 8, torch.bfloat16: 1}  # roundings of the inputs; of 16 bits one is far


def lost_digits(run: Run, place: int, got: Tensor, true: Tensor) -> Iterator[Hypothesis]:
    """A gradient that is nearly right, whose error is rough."""
    error, size = typical_size(got - true), typical_size(true)
    if not 0 < error <= NEARLY * size:
        return
    for dtype, ulps in NUDGES.items():
        there = gradients_nudged(run, place, ulps * torch.finfo(dtype).eps)
        if there is not None and is_rough(got - true, there[0] - there[1]):
            name = dtype_name(dtype)
            yield Hypothesis(
                "precision-loss",
                f"right to {error / size:.1e} of the typical entry, and what is lost is rounding: "
                f"it is another error where the inputs differ by a rounding of {name}",
            )
            return
