"""Which variations count: none at which another function is meant, or none is defined."""

from collections.abc import Iterable

from torch import Tensor

from torchref.checker.execution.arithmetic import agree, are_finite
from torchref.checker.execution.case import Case
from torchref.checker.execution.run import RefusedError, Run, forward, run_both
from torchref.checker.execution.subject import Subject


def is_same_function(run: Run, kind: str, given: Case) -> bool:
    """Whether at a variation of such a kind the reference does what it does at the inputs given.

    At another rank it does one sample after the other, or sums up all; at size 1 it broadcasts
    nothing against what it holds itself in the size before. Without a reference, the candidate.
    """
    there = run.tape.outputs if run.expected is None else run.expected
    if kind == "ranks":
        here = forward(run.reference or run.candidate, given).outputs
        more = _dimensions(run.case) > _dimensions(given)
        pairs = ((here[i].detach(), there[i].detach()) for i in run.cotangents)
        return all(_one_by_one(one, other, more) for one, other in pairs)
    if kind == "sizes" and 1 in sizes_of(run.case.leaves):
        gone = sizes_of(given.leaves) - sizes_of(run.case.leaves)
        return not gone & sizes_of(there)
    return True


def _one_by_one(here: Tensor, there: Tensor, more: bool) -> bool:
    """Whether an output of another rank is that of the samples, or a single number as before."""
    if not here.dim() and not there.dim():
        return True
    if more:
        return there.shape == (2, *here.shape) and all(agree(sample, here) for sample in there)
    return here.dim() > 0 and len(here) > 0 and agree(here[0], there)


def _dimensions(case: Case) -> int:
    return sum(x.dim() for x in case.leaves if isinstance(x, Tensor))


def sizes_of(leaves: Iterable[object]) -> set[int]:
    """Along all dimensions of all tensors."""
    return {size for x in leaves if isinstance(x, Tensor) for size in x.shape}


def is_defined(reference: Subject | None, candidate: Subject, case: Case, seed: int) -> bool:
    """Whether the outputs are finite there, and the gradients of the reference."""
    try:
        if reference is None:
            return are_finite(forward(candidate, case).outputs)
        run = run_both(reference, None, case, seed)
    except RefusedError:
        return False
    return run.makes_sense and are_finite(run.claimed)
