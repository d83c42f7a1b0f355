"""Whether two results of the same computation agree, up to the order of its sums."""

from collections.abc import Sequence

import torch
from torch import Tensor

from torchref.checker.execution.arithmetic import (
    ORDER,
    agree,
    entry_sizes,
    held_in_double,
    identical,
)
from torchref.checker.execution.numbers import told_apart
from torchref.checker.execution.run import Run
from torchref.checker.execution.tape import Gradients
from torchref.checker.oracles.same_precision import errors_of
from torchref.checker.oracles.tolerance import SIXTEEN_BITS, gradient_floor

FEW, WITHOUT_A_REFERENCE = 2.0, 4.0  # roundings of 16 bits
OF_ITS_ERRORS = 2.0  # times the largest: two results may err to either side
APPROXIMATE = 4.0  # errors as large as promised may add up where gradients are added


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
        coarse = max(coarse, APPROXIMATE * run.candidate.tolerance)
        if run.epsilon > SIXTEEN_BITS and a is not None and b is not None and a.shape == b.shape:
            if _agree_in_16_bits(run, a, b, place, coarse):
                continue
        elif agree(a, b, gradient_floor(run, run.case.arguments[place]), coarse):
            continue
        name = run.case.argument_names[place]
        if a is None or b is None or a.shape != b.shape:
            return name, None, f"{_kind(a)} became {_kind(b)}"
        same = (a == b) | (torch.isnan(a) & torch.isnan(b))
        gap = torch.nan_to_num((a - b).abs().double(), torch.inf, torch.inf).masked_fill(same, 0)
        element = tuple(int(i) for i in torch.unravel_index(gap.argmax(), a.shape))
        return name, element, " became ".join(told_apart(a[element].item(), b[element].item()))
    return None


def _agree_in_16_bits(run: Run, a: Tensor, b: Tensor, place: int, relative: float) -> bool:
    """Within a few roundings, or within the errors that the candidate makes beside the truth."""
    gap = torch.nan_to_num((a.double() - b.double()).abs(), torch.inf, torch.inf)
    gap = gap.masked_fill((a == b) | (torch.isnan(a) & torch.isnan(b)), 0)
    unit = entry_sizes(b)
    relative = max(relative, (FEW if run.reference else WITHOUT_A_REFERENCE) * run.epsilon)
    if bool((gap <= relative * unit).all()):
        return True
    errors = None if run.reference is None else errors_of(run, place)
    if errors is None:
        return False
    return bool((gap <= max(relative, OF_ITS_ERRORS * errors.largest) * errors.unit).all())


def _kind(gradient: Tensor | None) -> str:
    return "None" if gradient is None else f"a gradient of shape {tuple(gradient.shape)}"
