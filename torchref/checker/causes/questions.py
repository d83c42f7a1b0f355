"""A wrong gradient is often the right answer to another question: which may that be?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from torchref.checker.causes.local_derivative import DERIVATIVES
from torchref.checker.execution.arithmetic import DOUBLE
from torchref.checker.execution.case import Case
from torchref.checker.execution.numbers import dtype_name
from torchref.checker.execution.run import Run
from torchref.checker.execution.tape import Cotangents

STEPS = (2, 3)  # by which an output may be larger than what it is made of
LOW_PRECISIONS = (torch.bfloat16, torch.float16, torch.float32)


@dataclass(frozen=True)
class Question:
    """Another case or other cotangents, and what is wrong with an answer to it.

    `spread_along` is a dimension of the output along which it supposes the argument to be spread.
    """

    evidence: str
    case: Case
    cotangents: Cotangents
    spread_along: int | None = None


Ask = Callable[[Run], Iterator[Question]]


def argument_elsewhere(run: Run) -> Iterator[Question]:
    """A slope of an input that is taken at the output, or at the input negated."""
    for i in run.case.wrt:
        x, name = run.case.leaves[i], run.case.names[i]
        places = {f"the output in place of {name}": y for y in run.outputs if y.dtype == x.dtype}
        for told, value in (places | {f"−{name} in place of {name}": -x}).items():
            if value.shape == x.shape:
                case = run.case.derived("elsewhere", {i: value})
                evidence = f"it is the true gradient at {told}"
                yield Question(evidence, case, run.cotangents)


def slope_at_the_output(run: Run) -> Iterator[Question]:
    """A grad_output that has not met the slope of the last activation, or has met it twice."""
    if len(run.cotangents) != 1:
        return
    (place, c), y = next(iter(run.cotangents.items())), run.outputs[0]
    if y.is_complex() or y.numel() < 2:
        return
    for formula, derivative in DERIVATIVES.items():
        slope = derivative(y)
        if bool(torch.isfinite(slope).all()) and not bool((slope == 0).any()):
            called = formula.format(v="the output")
            for what, met in (("missing", c / slope), ("once too often", c * slope)):
                evidence = f"{what} at the output: {called}"
                yield Question(evidence, run.case, {place: met})


def argument_transposed(run: Run) -> Iterator[Question]:
    """A square argument that enters transposed."""
    for i in run.case.wrt:
        x = run.case.leaves[i]
        if x.dim() > 1 and x.shape[-1] == x.shape[-2] > 1:
            case = run.case.derived("transposed", {i: x.mT.contiguous()})
            evidence = f"it is the true gradient for {run.case.names[i]} transposed"
            yield Question(evidence, case, run.cotangents)


def argument_flipped(run: Run) -> Iterator[Question]:
    """A kernel that enters as that of a correlation where a convolution is due, or the reverse."""
    for i in run.case.wrt:
        x = run.case.leaves[i]
        for dims in _last_dimensions(x):
            case = run.case.derived("flipped", {i: x.flip(dims)})
            evidence = f"it is the true gradient for {run.case.names[i]} flipped along {dims}"
            yield Question(evidence, case, run.cotangents)


def grad_output_flipped(run: Run) -> Iterator[Question]:
    """A grad_output that is read from the other end."""
    for place, c in run.cotangents.items():
        for dims in _last_dimensions(c):
            evidence = f"it is the true gradient for grad_output flipped along {dims}"
            yield Question(evidence, run.case, {**run.cotangents, place: c.flip(dims)})


def grad_output_moved(run: Run) -> Iterator[Question]:
    """A grad_output that is read one place further on, or back."""
    for place, c in run.cotangents.items():
        for dim in range(c.dim()):
            for by in (1, -1) if c.shape[dim] > 2 else ():
                evidence = f"it is the true gradient for grad_output moved by {by:+d} along {dim}"
                yield Question(evidence, run.case, {**run.cotangents, place: c.roll(by, dim)})


def argument_conjugated(run: Run) -> Iterator[Question]:
    """A complex argument that enters as it is: torch's gradient has the conjugate of a factor."""
    for i, z in enumerate(run.case.leaves):
        if isinstance(z, Tensor) and z.is_complex():
            case = run.case.derived("conjugated", {i: z.conj().resolve_conj()})
            evidence = f"it is the true gradient for {run.case.names[i]} conjugated"
            yield Question(evidence, case, run.cotangents)


def one_slice_of_grad_output(run: Run) -> Iterator[Question]:
    """A sum over grad_output of which only the first or the last part was taken."""
    for place, c in run.cotangents.items():
        for dim in range(c.dim()):
            if c.shape[dim] < 2:
                continue
            for index, which in ((0, "first"), (-1, "last")):
                evidence = f"only the {which} slice of grad_output along dimension {dim} enters"
                alone = {**run.cotangents, place: slice_of(c, dim, index)}
                yield Question(evidence, run.case, alone, dim)


def every_other_slice_of_grad_output(run: Run) -> Iterator[Question]:
    """Of several outputs that one input made only one is asked."""
    for place, c in run.cotangents.items():
        for dim in range(c.dim()):
            for step in STEPS:
                for start in range(step) if c.shape[dim] > step else ():
                    where = torch.arange(c.shape[dim], device=c.device) % step == start
                    shape = [-1 if d == dim else 1 for d in range(c.dim())]
                    evidence = f"only the slices {start}, {start + step}, … of grad_output along "
                    evidence += f"dimension {dim} enter"
                    cotangents = {**run.cotangents, place: c * where.reshape(shape)}
                    yield Question(evidence, run.case, cotangents)


def inputs_cast(run: Run) -> Iterator[Question]:
    """Inputs that were rounded to a lower precision on their way into backward."""
    if run.epsilon <= DOUBLE:
        for dtype in LOW_PRECISIONS:
            case = run.case.to(dtype).to(torch.float64)
            name = dtype_name(dtype)
            evidence = f"it is the true gradient at inputs cast to {name}"
            yield Question(evidence, case, run.cotangents)


def slice_of(c: Tensor, dim: int, index: int) -> Tensor:
    """A cotangent with all but one slice set to 0."""
    alone = torch.zeros_like(c)
    alone.select(dim, index).copy_(c.select(dim, index))
    return alone


def _last_dimensions(x: Tensor) -> list[tuple[int, ...]]:
    """Along which a kernel or a sequence is flipped: each alone, and the last two, or three."""
    long = [dim for dim in range(x.dim()) if x.shape[dim] > 1]
    several = [tuple(range(x.dim() - count, x.dim())) for count in (2, 3) if count < x.dim()]
    return [(dim,) for dim in long] + several
