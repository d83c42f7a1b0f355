"""One entry of grad_output at a time: what each contributes to a gradient, beside what it should.

The rows of two Jacobians. A gradient is their sum, weighed by grad_output, so it is wrong where a
contribution is, and a contribution says more than the sum.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from torchref.checker.causes.mismatch import Hypothesis, Mismatch
from torchref.checker.causes.subset import rule_of_position
from torchref.checker.diagnosis.experiments.true_gradient import gradient_of, knowing
from torchref.checker.execution.arithmetic import same
from torchref.checker.execution.run import Run

MOST_OUTPUTS = 128  # entries of grad_output, each of which takes a backward of either side
MOST_ENTRIES = 200_000  # of both Jacobians
NONE = 1e-9  # relative: what contributes less contributes nothing
LOW = 4  # a rank so many times smaller than it could be is low
SHOWN = 2  # entries that are told


def wrong_contributions(run: Run, place: int, wrong: Mismatch) -> Iterator[Hypothesis]:
    """What sets the wrong contributions apart, or the wrong linear map from the right one."""
    if len(run.cotangents) > 1:
        yield from _some_of_several_outputs(run, place, wrong)
    jacobians = _jacobians(run, place, wrong)
    if jacobians is None:
        return
    got, true = jacobians
    shape = next(iter(run.cotangents.values())).shape
    for told in (
        _turned(got, true),
        _misplaced(got, true, shape, wrong),
        _some_paths(got, true, shape, wrong),
        _some_outputs(got, true, shape),
        _of_low_rank(got, true, wrong.name),
    ):
        if told is not None:
            yield told
            return


def _some_of_several_outputs(run: Run, place: int, wrong: Mismatch) -> Iterator[Hypothesis]:
    """What the gradients of some outputs contribute is right, and of others it is not."""
    subject = knowing(run, place, wrong.true)
    if subject is None:
        return
    heard: dict[bool, list[str]] = {True: [], False: []}
    for i in run.cotangents:
        alone = {j: c if i == j else torch.zeros_like(c) for j, c in run.cotangents.items()}
        got = run.gradients_to(alone)[place]
        true = gradient_of(subject, run.case, alone, place)
        if got is None or true is None:
            return
        heard[same(got, true) or not bool(got.any() or true.any())].append(f"output {i}")
    if heard[True] and heard[False]:
        told = f"what comes of the gradient of {', '.join(heard[False])} alone is wrong, and what "
        told += f"comes of that of {', '.join(heard[True])} is right"
        yield Hypothesis("missing-term", told)


def _jacobians(run: Run, place: int, wrong: Mismatch) -> tuple[Tensor, Tensor] | None:
    """Row k is the gradient for a grad_output that is 1 at its entry k and 0 elsewhere.

    In double precision: of 16 bits torch inverts no matrix.
    """
    if len(run.cotangents) != 1 or wrong.true.is_complex():
        return None
    i, c = next(iter(run.cotangents.items()))
    fits = 1 < c.numel() <= MOST_OUTPUTS and c.numel() * wrong.true.numel() <= MOST_ENTRIES
    subject = knowing(run, place, wrong.true) if fits and not c.is_complex() else None
    if subject is None:
        return None
    rows = []
    for flat in range(c.numel()):
        one = torch.zeros_like(c)
        one.view(-1)[flat] = 1
        got = run.gradients_to({i: one})[place]
        true = gradient_of(subject, run.case, {i: one}, place)
        if got is None or true is None:
            return None
        rows.append((got.reshape(-1), true.reshape(-1)))
    stacked = tuple(torch.stack(side).double() for side in zip(*rows, strict=True))
    return (stacked[0], stacked[1]) if bool(torch.isfinite(stacked[0]).all()) else None


def _turned(got: Tensor, true: Tensor) -> Hypothesis | None:
    """grad_output sent through the forward's own map or back through it: J or J⁻¹, not Jᵀ."""
    if got.shape[0] != got.shape[1]:
        return None
    if same(got, true.mT):
        told = "grad_output goes through the linear map of forward once more: it is J · grad_output"
        return Hypothesis("transposed", f"{told}, where Jᵀ · grad_output is meant")
    inverse, failed = torch.linalg.inv_ex(true)
    if not int(failed) and same(got, inverse.mT):
        told = "grad_output goes through the inverse of the linear map of forward: it is J⁻¹ · "
        return Hypothesis("transposed", f"{told}grad_output, where Jᵀ · grad_output is meant")
    return None


def _misplaced(got: Tensor, true: Tensor, shape: torch.Size, wrong: Mismatch) -> Hypothesis | None:
    """Each entry of grad_output contributes what it should, and to other places."""
    a, b = (x.sort(dim=1).values for x in (got, true))
    moved = _differing(got, true)
    if not same(a, b) or not bool(moved.any()):
        return None
    told = []
    for row in moved.nonzero().reshape(-1)[:SHOWN].tolist():
        differs = ~torch.isclose(got[row], true[row])
        to, meant = (_places(x[row] * differs, wrong) for x in (got, true))
        enters = f"enters {to} where it should enter {meant}"
        if to == meant:
            enters = f"enters {to} with other numbers"
        told.append(f"grad_output{_index(row, shape)} {enters}")
    return Hypothesis("wrong-elements", f"{_counted(moved)} land in the wrong place: {_list(told)}")


def _some_paths(got: Tensor, true: Tensor, shape: torch.Size, wrong: Mismatch) -> Hypothesis | None:
    """Of the single contributions some are missing or too many, and all others are right."""
    largest = float(true.abs().max())
    there, meant = got.abs() > NONE * largest, true.abs() > NONE * largest
    lost, extra = meant & ~there, there & ~meant
    both = there & meant
    if not bool((lost | extra).any()) or not bool(both.any()):
        return None
    if not same(got[both], true[both]):
        return None
    told = []
    for paths, what in ((lost, "missing"), (extra, "too many")):
        if bool(paths.any()):
            row, column = map(int, paths.nonzero()[0])
            path = f"grad_output{_index(row, shape)} to {_place(column, wrong)}"
            told.append(f"{int(paths.sum())} are {what}, as that from {path}")
    count = f"of what each entry of grad_output contributes {int(both.sum())} entries are right, "
    return Hypothesis("missing-term", f"{count}{_list(told)}")


def _some_outputs(got: Tensor, true: Tensor, shape: torch.Size) -> Hypothesis | None:
    """Some entries of grad_output contribute what they should, and others do not."""
    wrong = _differing(got, true)
    if bool(wrong.all()) or not bool(wrong.any()):
        return None
    rule = (
        rule_of_position(wrong.reshape(shape))
        or f"first that at {_index(int(wrong.nonzero()[0]), shape)}"
    )
    told = f"taken one at a time, {_counted(wrong)} contribute what they should not: {rule}"
    return Hypothesis("missing-term", told)


def _of_low_rank(got: Tensor, true: Tensor, name: str) -> Hypothesis | None:
    rest = true - got
    rank = int(torch.linalg.matrix_rank(rest, rtol=NONE))
    if not 0 < LOW * rank <= min(rest.shape):
        return None
    sums = "one weighted sum" if rank == 1 else f"{rank} weighted sums"
    told = f"what is missing is {sums} over grad_output, spread over {name} by fixed weights"
    return Hypothesis("missing-term", f"{told} (the difference of the Jacobians has rank {rank})")


def _differing(got: Tensor, true: Tensor) -> Tensor:
    """The rows that differ, by more than roundings of the largest entry of all."""
    return ((got - true).abs() > NONE * true.abs().max()).any(dim=1)


def _counted(rows: Tensor) -> str:
    return f"{int(rows.sum())} of the {len(rows)} entries of grad_output"


def _places(row: Tensor, wrong: Mismatch) -> str:
    entered = row.nonzero().reshape(-1)
    told = ", ".join(_place(int(column), wrong) for column in entered[:SHOWN])
    return f"{told} …" if len(entered) > SHOWN else told or "nothing"


def _place(flat: int, wrong: Mismatch) -> str:
    return f"{wrong.name}{_index(flat, wrong.true.shape)}"


def _index(flat: int, shape: torch.Size) -> str:
    place = torch.unravel_index(torch.tensor(flat, device="cpu"), shape)
    return str([int(i) for i in place]) if shape else ""


def _list(told: list[str]) -> str:
    return ", and ".join(told)
