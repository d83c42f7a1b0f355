"""What a cross-check finds, and what it tried."""

import sys
from dataclasses import dataclass, field
from typing import Any, Literal

from torchref.checker.causes.table import CAUSES

Verdict = Literal["right", "wrong", "cannot tell"]
Status = Literal["skipped", "passed", "hazard", "cannot tell", "failed"]  # from best to worst
BLAMELESS = {"reference-wrong"}  # found, but not wrong with the candidate


@dataclass(frozen=True)
class Finding:
    """One thing wrong: its cause, the argument and element concerned, and the evidence.

    `at` says with which inputs it showed. `cause` is one of `torchref.checker.causes.table.CAUSES`,
    which the command `torchref causes` explains.

    A finding that is `vague` may have another cause behind it, and is left out beside that. A
    `hazard` leaves one ordinary backward right: autograd repairs it, or it shows in a second
    backward through the same graph or in a second order alone.
    """

    cause: str
    argument: str | None
    element: tuple[int, ...] | None
    evidence: str
    at: str = "as given"
    vague: bool = field(default=False, compare=False)
    hazard: bool = field(default=False, compare=False)

    @property
    def look_at(self) -> str:
        """One sentence on what to look at."""
        return look_at(self.cause)

    @property
    def where(self) -> str:
        """The argument, the output or the call that it was found in, and the element."""
        where = self.argument or ("the call" if self.element is None else "the output")
        if self.element:
            where += f"{'' if self.argument else ' at '}{list(self.element)}"
        return where

    def to_dict(self) -> dict[str, Any]:
        return {
            "cause": self.cause,
            "argument": self.argument,
            "element": None if self.element is None else list(self.element),
            "evidence": self.evidence,
            "at": self.at,
            "look_at": self.look_at,
            "vague": self.vague,
        }


def look_at(cause: str) -> str:
    """One sentence on what to look at where a gradient has a cause."""
    return CAUSES[cause].look_at


@dataclass(frozen=True)
class Check:
    """One thing tried: how it ended, and its worst error in units of its tolerance."""

    name: str
    status: Status
    worst: float | None = None
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        worst = None if self.worst is None else finite(self.worst)
        return {"name": self.name, "status": self.status, "worst": worst, "note": self.note}


def finite(worst: float) -> float:
    """JSON has no infinity: the largest number stands for it."""
    return min(worst, sys.float_info.max)
