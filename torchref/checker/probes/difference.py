"""Whether two results of the same computation agree, up to the order of its sums."""

from collections.abc import Sequence

import torch
from torch import Tensor

from torchref.checker.execution.arithmetic import (
    ORDER,
    agree,
    held_in_double,
    identical,
)
from torchref.checker.execution.run import Run
from torchref.checker.execution.tape import Gradients
from torchref.checker.oracles.tolerance import gradient_floor
from torchref.checker.report.numbers import told_apart


def first_difference(
    run: Run,
    before: Gradients,
    after: Gradients,
    places: Sequence[int] | None = None,
    relative: float = 0.0,
) -> tuple[str, tuple[int, ...] | None, str] | None:
    """The first argument whose two gradients differ: its name, an element, and both values.

    `places` says which arguments the gradients belong to, if not to all. What double precision
    holds of single-precision numbers was computed in them, and is compared as such.
    """
    everything = range(len(run.case.wrt))
    for place, a, b in zip(everything if places is None else places, before, after, strict=True):
        if a is not None and b is not None and identical(a, b):
            continue
        single = a is not None and b is not None and held_in_double(a) and held_in_double(b)
        coarse = max(relative, ORDER * torch.finfo(torch.float32).eps) if single else relative
        if agree(a, b, gradient_floor(run, run.case.arguments[place]), coarse):
            continue
        name = run.case.argument_names[place]
        if a is None or b is None or a.shape != b.shape:
            return name, None, f"{_kind(a)} became {_kind(b)}"
        same = (a == b) | (torch.isnan(a) & torch.isnan(b))
        gap = torch.nan_to_num((a - b).abs().double(), torch.inf, torch.inf).masked_fill(same, 0)
        element = tuple(int(i) for i in torch.unravel_index(gap.argmax(), a.shape))
        return name, element, " became ".join(told_apart(a[element].item(), b[element].item()))
    return None


def _kind(gradient: Tensor | None) -> str:
    return "None" if gradient is None else f"a gradient of shape {tuple(gradient.shape)}"
