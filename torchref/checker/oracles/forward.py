"""The candidate's forward beside the reference's: a backward is not blamed for a wrong forward."""

import math
from dataclasses import dataclass, field

import torch
from torch import Generator, Tensor

from torchref.checker.execution.arithmetic import (
    DOUBLE,
    entry_sizes,
    identical,
    is_floating,
    quantum,
    typical_size,
)
from torchref.checker.execution.numbers import told_apart
from torchref.checker.execution.run import Run, require_same_order
from torchref.checker.execution.tape import Tape, evaluate, fresh
from torchref.checker.oracles.kinks import has_ties
from torchref.checker.oracles.rounding import is_rough, nudged
from torchref.checker.oracles.same_precision import QUANTA
from torchref.checker.oracles.tolerance import (
    OF_ENTRY,
    OF_ENTRY_IN_SINGLE,
    OF_FORWARD_IN_16_BITS,
    forward_tolerance,
)
from torchref.checker.report.findings import Finding

SUBNORMAL = 1e-300  # torch has kernels that leave such numbers where 0 belongs
LOW_PRECISIONS = (torch.float32, torch.float16, torch.bfloat16)
ROUNDINGS_OF_FORWARD = 64  # that a forward in low precision may make, or avoid
CANCELLED = 1e-9  # relative to the inputs: what rounding leaves where most digits cancel
NEARBY = (2.0**-30, 2.0**-20, 2.0**-10, 2.0**-7)  # relative: further on it is another rounding
ROUNDINGS_OF_DTYPE = 8  # to the user's dtype, by which two forwards may be apart in float64
COPIES = 3  # of the inputs at each distance
NUDGE = 8  # roundings of the input, beyond which another number is rounded


@dataclass
class Forwards:
    """What is wrong with the candidate's forward, and whether the reference is a witness of it.

    `worst` is the error of what is wrong, in units of its tolerance, and `why` says what makes it
    no witness though nothing is wrong.
    """

    findings: list[Finding] = field(default_factory=list)
    worst: float | None = None
    notes: list[str] = field(default_factory=list)
    is_witness: bool = True
    why: str = ""


def compare_forwards(run: Run, promised: bool = True) -> Forwards:
    """`forward-noisy` where only digits are missing, `forward-wrong` where it is another value.

    Where two ways to write one formula lose digits of float64 differently, that is a note; and
    where they agree in the dtype of the user's inputs, as with constants of fewer digits. Which of
    equal entries an index or a mask names is a choice, at inputs of which nothing was `promised`.
    """
    compared = Forwards()
    if run.expected is None:
        return compared
    for place, (got, true) in enumerate(zip(run.tape.outputs, run.expected, strict=True)):
        if identical(got.detach(), true):
            continue
        if bool((torch.isfinite(got.detach()) & ~torch.isfinite(true)).all()):
            compared.is_witness = False
            compared.why = "the reference is NaN or infinite where the candidate's forward is not"
            continue
        allowed = forward_tolerance(run)
        wrong = ~_close(got.detach(), true, allowed)
        if not bool(wrong.any()):
            continue
        if not (promised or is_floating(true)) and has_ties(run.case.arguments):
            compared.notes.append(f"{run.case.label}: output {place} differs, where entries tie")
            continue
        if run.epsilon > DOUBLE and _is_near_the_truth(run, place, got.detach()):
            compared.notes.append(f"{run.case.label}: the reference's forward loses digits here")
            continue
        if _is_rounding(run, place, got.detach(), true):
            told = f"{run.case.label}: the forwards differ by rounding, where it cancels"
            compared.notes.append(told)
            continue
        if _agree_in_the_dtype_given(run, place):
            compared.is_witness = False
            compared.why = (
                "the forwards agree in the dtype given, and in float64 to its digits alone"
            )
            continue
        if promised and run.reference is not None:
            require_same_order(run.candidate, run.reference, run.case)
        element = tuple(int(i) for i in wrong.nonzero()[0])
        mine, its = told_apart(got[element].item(), true[element].item())
        where = "the output" if len(run.expected) == 1 else f"output {place}"
        where += f" at {list(element)}" if element else ""
        evidence = f"{where} is {mine}, the reference's {its}"
        draws = not _repeats(run, place)
        if draws:
            evidence += "; it draws random numbers, and others than the reference: pass them in"
        noisy = draws or _few_digits(run, place, got.detach(), true)
        cause = "forward-noisy" if noisy else "forward-wrong"
        compared.findings = [Finding(cause, None, element, evidence, run.case.label)]
        compared.worst = _worst(got.detach(), true, allowed)
        compared.is_witness = False
        break
    return compared


def _agree_in_the_dtype_given(run: Run, place: int) -> bool:
    """Whether what they are apart by in float64 is its rounding, of a constant or of the inputs."""
    dtype = run.case.dtype_given
    if dtype is None or run.reference is None:
        return False
    case = run.case.to(dtype)
    try:
        mine = evaluate(run.candidate, case, fresh(case.leaves))[place]
        its = evaluate(run.reference, case, fresh(case.leaves))[place]
        apart = run.tape.outputs[place].detach() - (run.expected or ())[place]
    except Exception:  # in its own dtype a forward may refuse
        return False
    epsilon = torch.finfo(dtype).eps
    size = typical_size((run.expected or ())[place])
    few = float(torch.nan_to_num(apart).abs().max()) <= ROUNDINGS_OF_DTYPE * epsilon * size
    return few and bool(_close(mine, its, OF_ENTRY_IN_SINGLE * epsilon).all())


def _is_near_the_truth(run: Run, place: int, got: Tensor) -> bool:
    """Whether in float64 the reference says at these inputs what the candidate says."""
    assert run.reference is not None
    case = run.case.to(torch.float64)
    try:
        truth = evaluate(run.reference, case, fresh(case.leaves))[place]
    except Exception:  # as far as it is known the reference is right
        return False
    coarse = truth if truth.is_complex() else truth.to(got.dtype).to(truth.dtype)
    near = _close(got.to(truth.dtype), coarse, OF_FORWARD_IN_16_BITS * run.epsilon)
    if got.is_floating_point():
        near |= (got.to(truth.dtype) - truth).abs() <= QUANTA * quantum(got.dtype)
    return bool(near.all())


def _worst(got: Tensor, true: Tensor, relative: float) -> float:
    """The largest error of all entries that should be finite, in units of what is let pass."""
    if not is_floating(true):
        return math.inf
    excess = (got - true).abs() / (relative * entry_sizes(true))
    return float(torch.nan_to_num(excess, torch.inf, torch.inf).where(true.isfinite(), 0).max())


def _close(got: Tensor, true: Tensor, relative: float) -> Tensor:
    if not is_floating(true):
        return got == true
    near = (got - true).abs() <= relative * entry_sizes(true) + SUBNORMAL
    return near | (got == true) | ~torch.isfinite(true)


def _is_rounding(run: Run, place: int, got: Tensor, true: Tensor) -> bool:
    """Whether what differs is small beside all that takes part, and another error nearby."""
    if not is_floating(true) or not bool((torch.isfinite(got) | (got == true)).all()):
        return False
    cancelled = CANCELLED if run.epsilon <= DOUBLE else run.epsilon**0.5
    error = torch.nan_to_num(got - true)
    sizes = [typical_size(x) for x in (true, *run.case.arguments)]
    if float(error.abs().max()) > cancelled * max(1.0, *sizes):
        return False
    # Of a few roundings some are alike by chance.
    there = (_error_nearby(run, place, far, copy) for copy in range(COPIES) for far in NEARBY)
    return any(other is not None and is_rough(error, other) for other in there)


def _few_digits(run: Run, place: int, got: Tensor, true: Tensor) -> bool:
    """Whether what differs is the rounding of a lower precision, and not another function."""
    if not true.is_floating_point() or not bool((torch.isfinite(got) | (got == true)).all()):
        return False
    error = torch.nan_to_num(got - true)
    relative = float(error.abs().max()) / (typical_size(true) or 1.0)
    for dtype in LOW_PRECISIONS:
        epsilon = torch.finfo(dtype).eps
        roundings = relative / epsilon
        if 1 / ROUNDINGS_OF_FORWARD <= roundings <= ROUNDINGS_OF_FORWARD:
            there = _error_nearby(run, place, NUDGE * epsilon)
            if there is None or is_rough(error, there):
                return True
    return False


def _error_nearby(run: Run, place: int, relative: float, copy: int = 0) -> Tensor | None:
    """The error of one output at inputs that are further off by so much; None if refused."""
    case = nudged(run.case, relative, Generator().manual_seed(run.seed + copy))
    assert run.reference is not None
    try:
        mine = evaluate(run.candidate, case, fresh(case.leaves))[place]
        its = evaluate(run.reference, case, fresh(case.leaves))[place]
    except Exception:  # beside the inputs given a forward may refuse
        return None
    return torch.nan_to_num(mine - its)


def _repeats(run: Run, place: int) -> bool:
    """Whether a second forward gives the same, with other random numbers to draw from."""
    again = Tape(run.candidate, run.case, (), seed=run.seed + 1).outputs[place]
    return bool(_close(again, run.tape.outputs[place].detach(), OF_ENTRY * 2.0**-52).all())
