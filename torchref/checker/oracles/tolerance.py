"""How near is near enough: how far two right answers may lie apart, whatever is compared.

A few roundings, the estimated error of what is numeric, what the user promised, and how far the
answer moves when its inputs move by one ulp.
"""

from collections.abc import Sequence
from contextlib import suppress

import torch
from torch import Generator, Tensor

from torchref.checker.execution.arithmetic import DOUBLE, entry_sizes, norm, typical_size
from torchref.checker.execution.run import RefusedError, Run, backward, forward
from torchref.checker.execution.tape import Gradients

# How many machine epsilons are let pass, by what is compared.
OF_ENTRY = 1e3  # of an entry and of the typical entry of its tensor, in float64
OF_ENTRY_IN_SINGLE = 32.0  # in lower precisions, where a thousand would hide a wrong digit
OF_FORWARD_IN_16_BITS = 16.0  # that a forward in 16 bits may make
OF_SLOPE = 32.0  # of the gradient along a direction, over its entries
OF_RISE = 4  # of its largest term, that a forward may make from one step to the next
OF_MEAN_ERROR = {torch.float32: 64.0}  # of the entry and the typical one, over many copies
OF_MEAN_ERROR_IN_16_BITS = 0.75  # kernels add up in float32, and one that does not errs by one
FLOOR = 64.0  # of the outputs, carried back in the units of the argument

SAFETY = 8  # tolerance of a numeric slope over its estimated error
SIXTEEN_BITS = 1e-4  # less than the machine epsilon of float16 and bfloat16
CONDITIONING = 32.0  # times the largest change that one ulp of the inputs made
BRANCH = 1e-5  # a larger relative change is no conditioning: another branch was taken
JUMP = 1e5  # likewise, in floors, where the gradient is 0
NO_DIGITS = 1e-3  # of the typical entry: what one ulp moves so far has not three digits
FURTHER = 1024  # ulps, by which
PROPORTIONAL = 64.0  # times as far at least moves what does not jump


def entry_tolerance(run: Run, argument: Tensor, truth: Tensor) -> Tensor:
    """Of each entry beside the reference's, before conditioning.

    In 16 bits no number of roundings tells a mistake: there is only what the user promised.
    """
    if run.epsilon >= SIXTEEN_BITS:
        return run.candidate.tolerance * entry_sizes(truth)
    relative = _roundings(run.epsilon) + run.candidate.tolerance
    return relative * entry_sizes(truth) + gradient_floor(run, argument)


def cancelled(run: Run, before: float) -> float:
    """Of an entry that was so large before what cancels: its rounding does not cancel."""
    return FLOOR * run.epsilon * before


def numeric_tolerance(run: Run, truth: Tensor, error: Tensor) -> Tensor:
    """Of each entry beside differences of the forward, before conditioning."""
    return SAFETY * error + (_roundings(run.epsilon) + run.candidate.tolerance) * entry_sizes(truth)


def slope_tolerance(run: Run, scale: float) -> float:
    """Of a slope of that scale, beside the error of the differences."""
    return (OF_SLOPE * run.epsilon + run.candidate.tolerance) * scale


def forward_tolerance(run: Run) -> float:
    """Relative to an output's entry and to the typical one."""
    roundings = OF_ENTRY if run.epsilon < SIXTEEN_BITS else OF_FORWARD_IN_16_BITS
    return roundings * run.epsilon + run.candidate.tolerance


def mean_error_tolerance(dtype: torch.dtype) -> float:
    """Of a mean error over copies, relative to the entry and to the typical one."""
    return OF_MEAN_ERROR.get(dtype, OF_MEAN_ERROR_IN_16_BITS) * torch.finfo(dtype).eps


def rounding(truth: Tensor, epsilon: float) -> Tensor:
    """The tolerance of each entry by rounding alone."""
    return _roundings(epsilon) * entry_sizes(truth)


def _roundings(epsilon: float) -> float:
    """Of the entry and the typical one. What depends on the gradient is a term of its callers."""
    return (OF_ENTRY if epsilon <= DOUBLE else OF_ENTRY_IN_SINGLE) * epsilon


def gradient_floor(run: Run, argument: Tensor) -> float:
    """What rounding in the outputs amounts to in a gradient that should be 0."""
    return FLOOR * run.epsilon * run.output_size / _unit(argument)


def _unit(argument: Tensor) -> float:
    return typical_size(argument) or 1.0


def slope_floor(run: Run, directions: Sequence[Tensor]) -> float:
    """The same of a slope along directions, one for each argument."""
    pairs = zip(run.case.arguments, directions, strict=True)
    return norm(gradient_floor(run, x) * d for x, d in pairs)


def conditioning(run: Run, truths: Sequence[Tensor | None]) -> list[Tensor]:
    """How far the reference's gradients move when the inputs move by one ulp.

    Where they jump, another branch was taken and nothing is forgiven: that is where they move
    far, and no further when the inputs do.
    """
    reach = [torch.zeros(x.shape, dtype=torch.float64, device=x.device) for x in run.case.arguments]
    for seed in range(3):
        near = _moved(run, truths, seed, 1)
        further: list[Tensor] | None = None
        for place, (before, change) in enumerate(zip(truths, near, strict=True)):
            if before is None:
                continue
            floor = JUMP * gradient_floor(run, run.case.arguments[place])
            if run.epsilon > DOUBLE:  # where so many floors would be the gradient itself
                size = typical_size(before) or run.output_size / _unit(run.case.arguments[place])
                floor = min(floor, NO_DIGITS * size)
            jumped = change > BRANCH * (before.abs().double() + typical_size(before)) + floor
            if bool(jumped.any()):
                further = _moved(run, truths, seed, FURTHER) if further is None else further
                jumped &= PROPORTIONAL * change > further[place]
            reach[place] = torch.maximum(reach[place], torch.where(jumped, 0, change))
    return [CONDITIONING * change for change in reach]


def _moved(run: Run, truths: Sequence[Tensor | None], seed: int, ulps: int) -> list[Tensor]:
    """How far each entry of the gradients moves when the inputs move by some ulps."""
    signs = Generator().manual_seed(seed)
    case = run.case.perturbed(
        "nudged", lambda x: x * (1 + ulps * torch.finfo(x.dtype).eps * _signs(x, signs))
    )
    reference = run.reference or run.candidate
    moved: Gradients = (None,) * len(truths)
    with suppress(RefusedError):
        tape = forward(reference, case)
        moved = backward(reference, tape, run.cotangents)
    return [
        torch.zeros(x.shape, dtype=torch.float64, device=x.device)
        if before is None or after is None
        else torch.nan_to_num((after - before).abs().double())
        for x, before, after in zip(run.case.arguments, truths, moved, strict=True)
    ]


def _signs(x: Tensor, generator: Generator) -> Tensor:
    signs = torch.randint(0, 2, x.shape, generator=generator, device="cpu") * 2 - 1
    return signs.to(x.device, x.real.dtype)  # in float32 one ulp of float64 would be 0
