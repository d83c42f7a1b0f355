"""Low precision: no worse than a small multiple of the twin's own error in the same dtype."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from torchref.checker.execution.arithmetic import draw_signed, typical_size
from torchref.checker.execution.case import Case
from torchref.checker.execution.run import RefusedError, Run, backward, forward
from torchref.checker.execution.subject import Subject
from torchref.checker.execution.tape import Cotangents, Gradients, Tape
from torchref.checker.probes.probe import Outcome
from torchref.checker.report.findings import Finding

DTYPES = (torch.float32, torch.bfloat16, torch.float16)
MULTIPLE = 8.0  # of the twin's error
FLOOR = 8.0  # roundings of the typical entry that are never held against anyone
DRAWS = 3  # of cotangents, in each dtype


def low_precision(run: Run) -> Outcome:
    """Truth is the reference in float64 at the inputs as the low precision rounds them.

    Where there is no derivative, the candidate in float64 keeps its own convention.
    """
    if run.reference is None:
        return Outcome.skip("no reference to compare the rounding with")
    worst, tried = 0.0, False
    for dtype in DTYPES:
        try:
            rounded = _Rounded.of(run, run.reference, run.case.to(dtype))
            for draw in range(DRAWS):
                ratio, found = rounded.judge(run.seed + draw)
                worst, tried = max(worst, ratio), True
                if found is not None:
                    return Outcome([found], worst)
        except (RefusedError, IndexError):
            continue
    return Outcome(worst=worst) if tried else Outcome.skip("refused in every low precision")


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

    def judge(self, seed: int) -> tuple[float, Finding | None]:
        """The worst error over what is allowed, and the finding where it is more."""
        tape = forward(self.run.candidate, self.case)
        generator = torch.Generator().manual_seed(seed)
        outputs = {i: tape.outputs[i].detach() for i in self.run.cotangents}
        cotangents = {i: draw_signed(y, generator) for i, y in outputs.items()}
        doubled = {i: c.to(self.run.tape.outputs[i].dtype) for i, c in cotangents.items()}
        its = backward(self.reference, self.twin, cotangents)
        true = backward(self.reference, self.exact, doubled)
        mine = backward(self.run.candidate, tape, cotangents)
        worst = 0.0
        for name, got, other, truth in _complete(self.case.argument_names, mine, its, true):
            error, size = _error(got, truth), typical_size(truth)
            allowed = MULTIPLE * _error(other, truth) + FLOOR * torch.finfo(got.dtype).eps * size
            if error > allowed:
                error = _error(got, truth, self._convention(name, truth, doubled))
            worst = max(worst, error / allowed if allowed else 0.0)
            if error > allowed > 0:
                return worst, self._finding(name, error, _error(other, truth), size)
        return worst, None

    def _convention(self, name: str, truth: Tensor, cotangents: Cotangents) -> Tensor:
        """The candidate's own gradient in float64."""
        candidate = self.run.candidate
        tape = forward(candidate, self.case.to(torch.float64))
        own = backward(candidate, tape, cotangents)[self.case.argument_names.index(name)]
        return torch.zeros_like(truth) if own is None else own

    def _finding(self, name: str, error: float, its: float, size: float) -> Finding:
        dtype = str(next(iter(self.case.arguments)).dtype).removeprefix("torch.")
        evidence = (
            f"in {dtype} the gradient errs by {error:.2g}, "
            f"the reference's by {its:.2g}; the typical entry is {size:.2g}"
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
