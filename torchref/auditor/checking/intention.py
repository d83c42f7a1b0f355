"""Functions whose backward is no gradient of their forward on purpose, told by what they do."""

from collections.abc import Sequence
from contextlib import suppress

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from torchref.auditor.checking.replay import applied
from torchref.auditor.recording.kept_call import KeptCall
from torchref.checker.execution.tape import copy_layout
from torchref.checker.report.findings import Finding

STATEFUL = {"forward-noisy", "stale-state", "nondeterministic", "accumulates"}


def intended(name: str, calls: Sequence[KeptCall], findings: Sequence[Finding]) -> str:
    """What a wrong Function may be for, and how to say so; empty where nothing hints at it."""
    what = _purpose(calls, {finding.cause for finding in findings})
    if not what:
        return ""
    return f"does not match its forward: {what}. If that is meant, --expect '{name}=REASON'"


def _purpose(calls: Sequence[KeptCall], causes: set[str]) -> str:
    if "straight-through" in causes:
        return "a straight-through estimator or a surrogate gradient, to judge by its steps"
    if causes & STATEFUL:
        return "the same call gives other results later, as where a forward has state"
    for call in calls:
        with suppress(Exception):  # the cross-check has told what it raises
            if what := _of_behaviour(call):
                return what
    return ""


def _of_behaviour(call: KeptCall) -> str:
    """What one forward and backward of the call show."""
    leaves, spec = pytree.tree_flatten((call.args, call.kwargs))
    fresh = [copy_layout(x) if isinstance(x, Tensor) else x for x in leaves]
    moving = [x for x, needs in zip(fresh, call.requires_grad, strict=True) if needs]
    before = [x.clone() for x in moving]
    for x in moving:
        x.requires_grad_()
    args, kwargs = pytree.tree_unflatten(fresh, spec)
    with torch.enable_grad():
        returned = applied(call)(*args, **kwargs)
    outputs = [y for y in pytree.tree_leaves(returned) if isinstance(y, Tensor) and y.requires_grad]
    if len(outputs) != 1:
        return ""
    (y,) = outputs
    cotangent = torch.randn(y.shape, dtype=torch.float64).to(y)
    gradients = torch.autograd.grad(y, moving, cotangent, allow_unused=True)
    for x, g in zip(before, gradients, strict=True):
        if g is None or g.shape != cotangent.shape:
            continue
        factor = _factor(g, cotangent)
        if x.shape == y.shape and torch.equal(x, y):
            if factor is not None and factor < 0:
                return f"a gradient reversal, of {factor:.3g} times grad_output behind an identity"
            return "its forward is the identity, so it is there for what its backward does"
        if factor == 1:
            return (
                "its backward passes grad_output as it came, as a straight-through estimator does"
            )
    return ""


def _factor(got: Tensor, cotangent: Tensor) -> float | None:
    """The number that a gradient is of the cotangent, if it is one."""
    if got.is_complex() or not cotangent.any():
        return None
    factor = float((got * cotangent).sum() / (cotangent * cotangent).sum())
    near = torch.allclose(got, factor * cotangent, rtol=1e-4, atol=1e-6)
    return (round(factor) if abs(factor - round(factor)) < 1e-4 else factor) if near else None
