"""Low precision: no worse than a small multiple of the twin's own error in the same dtype."""

from collections.abc import Iterator

import torch
from torch import Tensor

from torchref.checker.case import Case
from torchref.checker.findings import Finding
from torchref.checker.numeric import typical_size
from torchref.checker.probes.probe import Outcome
from torchref.checker.scene import RefusedError, Scene, backward, forward
from torchref.checker.subject import Subject
from torchref.checker.tape import Gradients, draw_signed

DTYPES = (torch.float32, torch.bfloat16, torch.float16)
MULTIPLE = 8.0  # of the twin's error
FLOOR = 8.0  # roundings of the typical entry that are never held against anyone
DRAWS = 3


def low_precision(scene: Scene) -> Outcome:
    """Truth is the reference in float64 at the inputs as the low precision rounds them.

    Where there is no derivative, the candidate in float64 keeps its own convention.
    """
    if scene.reference is None:
        return Outcome.skip("no reference to compare the rounding with")
    worst, tried = 0.0, False
    for dtype in DTYPES:
        case = scene.case.to(dtype)
        for draw in range(DRAWS):
            errors = _errors(scene, scene.reference, case, scene.seed + draw)
            if errors is None:
                break
            tried = True
            for place, (mine, its, size) in enumerate(errors):
                epsilon = torch.finfo(dtype).eps
                allowed = MULTIPLE * its + FLOOR * epsilon * size
                ratio = mine / allowed if allowed else 0.0
                worst = max(worst, ratio)
                if ratio > 1:
                    evidence = (
                        f"in {str(dtype).removeprefix('torch.')} the gradient errs by {mine:.2g}, "
                        f"the reference's by {its:.2g}; the typical entry is {size:.2g}"
                    )
                    name = scene.case.argument_names[place]
                    found = Finding("precision-loss", name, None, evidence, case.label)
                    return Outcome([found], worst)
    return Outcome(worst=worst) if tried else Outcome.skip("refused in every low precision")


def _errors(
    scene: Scene, reference: Subject, case: Case, seed: int
) -> list[tuple[float, float, float]] | None:
    """For each argument: the candidate's error, the reference's, and the typical entry."""
    exact = case.to(torch.float64)
    try:
        tape = forward(scene.candidate, case)
        generator = torch.Generator().manual_seed(seed)
        cotangents = {i: draw_signed(tape.outputs[i].detach(), generator) for i in scene.cotangents}
        twin = forward(reference, case)
        its = backward(reference, twin, cotangents)
        doubled = {i: c.to(scene.tape.outputs[i].dtype) for i, c in cotangents.items()}
        true = backward(reference, forward(reference, exact), doubled)
        mine = backward(scene.candidate, tape, cotangents)
        own = backward(scene.candidate, forward(scene.candidate, exact), doubled)
    except (RefusedError, IndexError):
        return None
    return [
        (_error(got, truth, convention), _error(other, truth, truth), typical_size(truth))
        for got, other, truth, convention in _complete(mine, its, true, own)
    ]


def _complete(*gradients: Gradients) -> Iterator[list[Tensor]]:
    """The gradients argument by argument, with zeros for None; without those that are all None."""
    for column in zip(*gradients, strict=True):
        like = next((g for g in column if g is not None), None)
        if like is not None:
            yield [torch.zeros_like(like) if g is None else g for g in column]


def _error(got: Tensor, true: Tensor, convention: Tensor) -> float:
    """The largest error over the entries whose truth is finite and representable."""
    reach = torch.finfo(got.dtype).max
    kept = torch.isfinite(true.abs()) & (true.abs() < reach / 16)
    gaps = [_gap(got, right, kept) for right in (true, convention)]
    gap = torch.minimum(*gaps)
    return float(gap.max()) if gap.numel() else 0.0


def _gap(got: Tensor, right: Tensor, kept: Tensor) -> Tensor:
    gap = (got.to(right.dtype) - right).abs()[kept].double()
    return torch.nan_to_num(gap, torch.inf, torch.inf)
