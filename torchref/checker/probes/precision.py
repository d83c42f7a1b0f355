"""Low precision: no worse than a small multiple of the twin's own error in the same dtype."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from torchref.checker.execution.arithmetic import draw_signed, typical_size
from torchref.checker.execution.case import Case
from torchref.checker.execution.cuda import is_interpreted
from torchref.checker.execution.numbers import dtype_name
from torchref.checker.execution.raw_returns import custom_functions
from torchref.checker.execution.run import RefusedError, Run, backward, forward
from torchref.checker.execution.subject import Subject
from torchref.checker.execution.tape import Cotangents, Gradients, Tape
from torchref.checker.probes.probe import Outcome
from torchref.checker.report.findings import Finding

DTYPES = (torch.float32, torch.bfloat16, torch.float16)
MULTIPLE = 8.0  # of the twin's error
FLOOR = 8.0  # roundings of the typical entry that are never held against anyone
NO_BFLOAT16 = (
    "in {} the forward is wrong too, as Triton's interpreter computes: to be checked on a GPU"
)
DRAWS = 3  # of cotangents, in each dtype


def low_precision(run: Run) -> Outcome:
    """Truth is the reference in float64 at the inputs as the low precision rounds them.

    Where there is no derivative, the candidate in float64 keeps its own convention. The median
    over some cotangents decides, for one rounding alone may be large, and the twin's small, by
    chance.
    """
    if run.reference is None:
        return Outcome.skip("no reference to compare the rounding with")
    if run.candidate.tolerance:
        return Outcome.skip("what is approximate, by tolerance=, promises no digits")
    worst, tried = 0.0, False
    for dtype in DTYPES:
        try:
            rounded = _Rounded.of(run, run.reference, run.case.to(dtype))
            draws = [rounded.errors(run.seed + draw) for draw in range(DRAWS)]
        except (RefusedError, IndexError):
            continue
        for name in draws[0]:
            errors = [draw[name] for draw in draws]
            twins = max(error.twin for error in errors)
            middle = sorted(errors, key=lambda error: error.over(twins))[DRAWS // 2]
            worst, tried = max(worst, middle.over(twins)), True
            if middle.over(twins) > 1:
                if rounded.is_garbage_of_the_interpreter():
                    return Outcome.skip(NO_BFLOAT16.format(dtype_name(dtype)))
                return Outcome([rounded.finding(name, middle, twins)], worst)
        tried = True
    return Outcome(worst=worst) if tried else Outcome.skip("refused in every low precision")


@dataclass(frozen=True)
class _Error:
    """The largest error of one gradient, the twin's, the typical entry, and what is let pass."""

    mine: float
    twin: float
    size: float
    floor: float

    def over(self, twins: float) -> float:
        allowed = MULTIPLE * twins + self.floor * self.size
        return self.mine / allowed if allowed else 0.0


@dataclass(frozen=True)
class _Rounded:
    """The run in a low precision, with the reference's tapes there and in float64."""

    run: Run
    reference: Subject
    case: Case
    twin: Tape
    exact: Tape

    @classmethod
    def of(cls, run: Run, reference: Subject, case: Case) -> "_Rounded":
        exact = forward(reference, case.to(torch.float64))
        return cls(run, reference, case, forward(reference, case), exact)

    def errors(self, seed: int) -> dict[str, _Error]:
        """By argument, for one draw of the cotangents."""
        tape = forward(self.run.candidate, self.case)
        generator = torch.Generator().manual_seed(seed)
        outputs = {i: tape.outputs[i].detach() for i in self.run.cotangents}
        cotangents = {i: draw_signed(y, generator) for i, y in outputs.items()}
        doubled = {i: c.to(self.run.tape.outputs[i].dtype) for i, c in cotangents.items()}
        its = backward(self.reference, self.twin, cotangents)
        true = backward(self.reference, self.exact, doubled)
        mine = backward(self.run.candidate, tape, cotangents)
        errors = {}
        for name, got, other, truth in _complete(self.case.argument_names, mine, its, true):
            floor = FLOOR * torch.finfo(got.dtype).eps
            error = _Error(_error(got, truth), _error(other, truth), typical_size(truth), floor)
            if error.over(error.twin) > 1:
                convention = self._convention(name, truth, doubled)
                error = replace(error, mine=_error(got, truth, convention))
            errors[name] = error
        return errors

    def is_garbage_of_the_interpreter(self) -> bool:
        """Whether Triton's interpreter makes outputs that are far from the reference's."""
        if not is_interpreted(custom_functions(self.run.tape.outputs)):
            return False
        tapes = forward(self.run.candidate, self.case), self.twin, self.exact
        for mine, its, true in zip(*(tape.outputs for tape in tapes), strict=True):
            floor = FLOOR * torch.finfo(self.case.arguments[0].dtype).eps
            errors = _error(mine, true), _error(its, true)
            if _Error(*errors, typical_size(true), floor).over(errors[1]) > 1:
                return True
        return False

    def _convention(self, name: str, truth: Tensor, cotangents: Cotangents) -> Tensor:
        """The candidate's own gradient in float64."""
        candidate = self.run.candidate
        tape = forward(candidate, self.case.to(torch.float64))
        own = backward(candidate, tape, cotangents)[self.case.argument_names.index(name)]
        return torch.zeros_like(truth) if own is None else own

    def finding(self, name: str, error: _Error, twins: float) -> Finding:
        dtype = dtype_name(self.case.arguments[0].dtype)
        evidence = (
            f"in {dtype} the gradient errs by {error.mine:.2g}, "
            f"the reference's by {twins:.2g}; the typical entry is {error.size:.2g}"
        )
        return Finding("precision-loss", name, None, evidence, self.case.label)


def _complete(
    names: tuple[str, ...], *gradients: Gradients
) -> Iterator[tuple[str, Tensor, Tensor, Tensor]]:
    """The gradients argument by argument, with zeros for None; without those that are all None."""
    for name, *column in zip(names, *gradients, strict=True):
        like = next((g for g in column if g is not None), None)
        if like is not None:
            got, other, truth = (torch.zeros_like(like) if g is None else g for g in column)
            yield name, got, other, truth


def _error(got: Tensor, *truths: Tensor) -> float:
    """The largest error over the entries whose truth is finite and representable.

    Of several truths each entry is held to the nearest.
    """
    true, reach = truths[0], torch.finfo(got.dtype).max
    kept = torch.isfinite(true) & (true.abs() < reach / 16)
    gaps = [
        torch.nan_to_num((got.to(right.dtype) - right).abs()[kept].double(), torch.inf, torch.inf)
        for right in truths
    ]
    return float(torch.stack(gaps).amin(0).max()) if gaps[0].numel() else 0.0
