"""Functions whose backward is no gradient of their forward on purpose, told by what they do."""

from collections.abc import Sequence
from contextlib import suppress

import torch
from torch import Tensor

from torchref.auditor.checking.replay import Replay
from torchref.auditor.checking.trial import Trial
from torchref.auditor.recording.kept_call import KeptCall
from torchref.checker.report.findings import Finding

STATEFUL = {"forward-noisy", "stale-state", "nondeterministic", "accumulates"}
IN_PLACE = {"mutates-input", "mutates-grad-output"}
DIGITS = {"precision-loss"}  # of a program that computes in fewer
GIVEN = "as given"
DRAWN = 3  # cotangents, to which what is always 0 is 0
FEW = 16  # more coordinates than a group of motions has


def intended(name: str, calls: Sequence[KeptCall], findings: Sequence[Finding]) -> str:
    """What a wrong Function may be for, and how to say so; empty where nothing hints at it."""
    what = _purpose(calls, findings)
    if not what:
        return ""
    return f"does not match its forward: {what}. If that is meant, --expect '{name}=REASON'"


def _purpose(calls: Sequence[KeptCall], findings: Sequence[Finding]) -> str:
    causes = {finding.cause for finding in findings}
    if "straight-through" in causes:
        return "a straight-through estimator or a surrogate gradient, to judge by its steps"
    if causes & STATEFUL:
        return "the same call gives other results later, as where a forward has state"
    for call in calls:
        with suppress(Exception):  # the cross-check has told what it raises
            trial = Trial.of(Replay.of(call))
            if what := _passes_on(trial) or _is_of_tangents(trial, findings):
                return what
    if causes <= IN_PLACE:
        return "it works in place, as kernels do to save memory that nothing else reads"
    return ""


def _passes_on(trial: Trial) -> str:
    """A forward that hands on what it was given, or a backward that does."""
    if all(any(_is_equal(x, y) for x in trial.given) for y in trial.outputs):
        factor = _factor_behind_identity(trial)
        if factor is not None and factor < 0:
            return f"a gradient reversal, of {factor:.3g} times grad_output behind an identity"
        return "its forward is the identity, so it is there for what its backward does"
    if len(trial.outputs) != 1:
        return ""
    (cotangent,) = cotangents = trial.cotangents()
    gradients = [g for g in trial.gradients(cotangents) if g is not None]
    if any(g.shape == cotangent.shape and _factor(g, cotangent) == 1 for g in gradients):
        return "its backward passes grad_output as it came, as a straight-through estimator does"
    return ""


def _factor_behind_identity(trial: Trial) -> float | None:
    """The number that the gradient of what is handed on is of its cotangent, if it is one."""
    cotangents = trial.cotangents()
    for x, g in zip(trial.learnt, trial.gradients(cotangents), strict=True):
        for y, cotangent in zip(trial.outputs, cotangents, strict=True):
            if g is not None and _is_equal(x, y):
                return _factor(g, cotangent)
    return None


def _is_equal(x: Tensor, y: Tensor) -> bool:
    is_alike = x.shape == y.shape and x.is_complex() == y.is_complex()
    return is_alike and torch.equal(x.to(y), y)


def _is_of_tangents(trial: Trial, findings: Sequence[Finding]) -> str:
    """Gradients in coordinates of a tangent space, of one dimension less, and padded by 0.

    All arguments that are accused as given must have such gradients, or the outputs be in such a
    space, so that nothing reads the last of grad_output and something all the rest.
    """
    accused = _accused(findings)
    if not accused or not accused <= set(trial.names):
        return ""
    drawn = [trial.cotangents() for _ in range(DRAWN)]
    gradients = [trial.gradients(cotangents) for cotangents in drawn]
    padded = {
        name
        for name, *column in zip(trial.names, *gradients, strict=True)
        if all(g is not None and _is_padded(g) for g in column)
    }
    space = "of what looks like coordinates of a tangent space, as on a Lie group"
    if accused <= padded:
        which = ", ".join(sorted(accused))
        return f"the last of the gradient of {which} is always 0, {space}"
    if len(trial.outputs) == 1 and _last_alone_is_unread(trial, drawn[0][0], gradients[0]):
        return f"its backward never reads the last of grad_output, {space}"
    return ""


def _last_alone_is_unread(trial: Trial, cotangent: Tensor, before: Sequence[Tensor | None]) -> bool:
    count = cotangent.shape[-1] if cotangent.dim() else 0
    if not 1 < count <= FEW:
        return False
    unread = []
    for place in range(count):
        other = cotangent.clone()
        other[..., place] += 1
        after = trial.gradients([other])
        unread.append(all(map(_same, before, after)))
    return unread == [False] * (count - 1) + [True]


def _accused(findings: Sequence[Finding]) -> set[str]:
    """The arguments whose gradients are wrong as given."""
    names = [f.argument for f in findings if f.argument and f.at == GIVEN and f.cause not in DIGITS]
    return {each for name in names for each in name.split(", ")}


def _is_padded(gradient: Tensor) -> bool:
    if not gradient.dim() or gradient.shape[-1] < 2:
        return False
    return not bool(gradient[..., -1].any()) and bool(gradient[..., :-1].any())


def _same(a: Tensor | None, b: Tensor | None) -> bool:
    return a is b if a is None or b is None else torch.equal(a, b)


def _factor(got: Tensor, cotangent: Tensor) -> float | None:
    """The number that a gradient is of the cotangent, if it is one."""
    if got.is_complex() or not cotangent.any():
        return None
    factor = float((got * cotangent).sum() / (cotangent * cotangent).sum())
    near = torch.allclose(got, factor * cotangent, rtol=1e-4, atol=1e-6)
    return (round(factor) if abs(factor - round(factor)) < 1e-4 else factor) if near else None
