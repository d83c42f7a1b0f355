"""What is found of a Function that its caller may never ask for, as far as an audit can know.

Without a reference the program is the only witness of what a Function is for. Where all that is
found concerns calls that the program did not make, and of which it shows nothing, no verdict on
them can be given.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Generator, Tensor

from torchref.auditor.checking.replay import Replay
from torchref.auditor.checking.trial import Trial
from torchref.checker.execution.arithmetic import draw_signed, is_differentiable, typical_size
from torchref.checker.execution.case import build_case
from torchref.checker.execution.run import RefusedError, run_both
from torchref.checker.execution.subject import as_subject
from torchref.checker.report.findings import Finding
from torchref.checker.report.report import Report

GIVEN = "as given"
UNREAD = "the forward does not depend on"  # what the evidence says of such an argument
OF_AN_ERROR = {"precision-loss", "not-linear-in-grad-output"}
BY_DIFFERENCES = "gradient by differences"
NUDGES = (2.0**-30, 2.0**-20)  # relative: within a rounding of float32, and some roundings away
SAME = 1e-5  # relative: a few roundings of float32
ROUGH = 1e-9  # relative: a gradient that bends so much within a nudge is rounded


def doubts(replay: Replay, findings: Sequence[Finding]) -> list[str]:
    """Why each of the findings is no evidence against the program; empty where one of them is."""
    found = [_doubt(replay, finding) for finding in findings]
    return list(dict.fromkeys(found)) if all(found) else []


def _doubt(replay: Replay, finding: Finding) -> str:
    if finding.cause == "depends-on-requires-grad":
        return _of_frozen_weights(replay, finding)
    if replay.is_opaque and (UNREAD in finding.evidence or finding.cause == "raises"):
        return f"{finding.evidence}, but what is given beside it may hold it, and cannot be copied"
    return _of_company(replay, finding) if finding.at != GIVEN else ""


def _of_frozen_weights(replay: Replay, finding: Finding) -> str:
    """What objects hold, the caller may leave out of the arguments where it is frozen."""
    asked = (finding.argument or "").split(", ")
    held = replay.held_names
    names = [name for name in replay.differentiated if name in held and name not in asked]
    if not names:
        return ""
    return (
        f"{finding.evidence}; objects beside {told_together(names)} hold it too, and what their "
        "caller gives where it is frozen, the program does not show"
    )


def told_together(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}"


def _of_company(replay: Replay, finding: Finding) -> str:
    """What goes with an argument may have to change with it, as a mean of it or its norm."""
    call = replay.call
    leaves = dict(zip(replay.leaf_names, call.leaves, strict=True))
    learnt = set(replay.differentiated)
    asked = [leaves.get(name) for name in (finding.argument or "").split(", ")]
    names = [
        name
        for name, x in leaves.items()
        if is_differentiable(x)
        and x.numel()
        and (name not in learnt or any(_is_another_of(x, y) for y in asked))
    ]
    if not names:
        return ""
    return (
        f"{finding.cause} in {finding.where}, {finding.at}: {', '.join(names)} stayed as the "
        "program gave it, where it may have to change with that"
    )


def _is_another_of(x: Any, y: Any) -> bool:
    """Whether two tensors are the same numbers, and are meant to be: as a mean that begins."""
    if x is y or not is_differentiable(y) or x.shape != y.shape or x.dtype != y.dtype:
        return False
    return not bool((x == x.reshape(-1)[0]).all()) and torch.allclose(x, y, rtol=SAME, atol=0)


def is_of_its_cotangents(replay: Replay, reports: Sequence[Report]) -> bool:
    """Whether wrong numbers are all that was found, and the program sent what may show them.

    That is one number for each entry of each output: a sum sends the same to all.
    """
    failed = [c.name for report in reports for c in report.checks if c.status == "failed"]
    lost = any(f.cause in OF_AN_ERROR for report in reports for f in report.findings)
    if lost or any(name != BY_DIFFERENCES for name in failed):
        return False
    sent = [c for c in replay.call.cotangents or () if c is not None]
    return len(sent) == len(Trial.of(replay).outputs) and all(map(_is_generic, sent))


def _is_generic(cotangent: Tensor) -> bool:
    numbers = torch.view_as_real(cotangent) if cotangent.is_complex() else cotangent
    count = numbers.numel()
    return count > 1 and bool(numbers.any()) and len(numbers.unique()) > count / 2


def is_approximate(replay: Replay, findings: Sequence[Finding]) -> bool:
    """Whether a few digits are all that it lacks, and not by rounding: a solver has an error."""
    lacking = [finding for finding in findings if finding.cause in OF_AN_ERROR]
    others = [finding for finding in findings if finding.cause not in OF_AN_ERROR]
    is_small = any(finding.cause == "precision-loss" for finding in lacking)
    return is_small and all(_doubt(replay, each) for each in others) and not _is_rounded(replay)


def _is_rounded(replay: Replay) -> bool:
    """Whether the gradient jumps within steps far below a rounding of float32, as a cast makes."""
    subject = as_subject(replay.candidate)
    case = build_case(subject, replay.call.args, replay.call.kwargs, replay.differentiated)
    case = case.to(torch.float64)
    generator = Generator().manual_seed(0)
    moves = {i: case.leaves[i] * draw_signed(case.leaves[i], generator) for i in case.wrt}

    def gradients(t: float) -> list[Tensor]:
        moved = case.derived("nudged", {i: case.leaves[i] + t * d for i, d in moves.items()})
        return run_both(subject, None, moved, seed=0).claimed

    try:
        here = gradients(0.0)
        beside = [(gradients(t), gradients(-t)) for t in NUDGES]
    except RefusedError:
        return True
    return any(
        typical_size(a - 2 * x + b) > ROUGH * typical_size(x)
        for ahead, back in beside
        for a, x, b in zip(ahead, here, back, strict=True)
    )
