"""What came of the wrong gradients: which the tests caught, and which they would let through."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from torchref.testing.mutation.kinds import KINDS, Plan
from torchref.testing.mutation.target import Target

Outcome = Literal["caught", "timed out", "survived", "undecided", "not run"]
OUTCOMES: dict[Outcome, str] = {
    "caught": "caught",
    "timed out": "timed out",
    "survived": "survived",
    "undecided": "cannot be told",
    "not run": "not run",
}


@dataclass
class Mutant:
    """One wrong gradient of one Function, and how the tests that touch it took it."""

    target: Target
    plan: Plan
    outcome: Outcome = "not run"
    test: str | None = None  # that caught it, or that was running when time was up

    @property
    def argument(self) -> str | None:
        index = self.plan[1]
        return None if index is None else self.target.argument(index)

    @property
    def name(self) -> str:
        kind, _, _ = self.plan
        about = "grad_output" if self.argument is None else self.argument
        return f"{about}: {kind}"

    @property
    def to_see_it(self) -> str:
        """What a test has to do to catch it."""
        return KINDS[self.plan[0]].to_see_it.format(argument=self.argument)


@dataclass
class Mutated:
    """A Function, the tests that touch it, and its wrong gradients."""

    target: Target
    tests: list[str]
    is_gone_back: bool = True  # its backward ran in a test
    mutants: list[Mutant] = field(default_factory=list)
    never_asked: list[str] = field(default_factory=list)  # arguments
    left_out: set[str] = field(default_factory=set)  # tests that mind being watched

    @property
    def is_unknown(self) -> bool:
        """Whether nothing was planted since its tests mind being watched."""
        return bool(self.left_out) and not self.mutants

    @property
    def all_caught(self) -> bool:
        """Whether each wrong gradient was planted, and the tests caught it."""
        caught = len(self.of("caught", "timed out"))
        return self.is_gone_back and not self.is_unknown and caught == len(self.mutants)

    def of(self, *outcomes: Outcome) -> list[Mutant]:
        return [mutant for mutant in self.mutants if mutant.outcome in outcomes]

    def to_dict(self) -> dict[str, Any]:
        mutants = [
            {
                "kind": mutant.plan[0],
                "argument": mutant.argument,
                "outcome": mutant.outcome,
                "test": mutant.test,
                "to_see_it": mutant.to_see_it,
            }
            for mutant in self.mutants
        ]
        return {
            "function": self.target.name,
            "file": self.target.file,
            "line": self.target.line,
            "tests": self.tests,
            "backward_called": self.is_gone_back,
            "gradients_never_asked_for": self.never_asked,
            "tests_left_out": sorted(self.left_out),
            "mutants": mutants,
        }


@dataclass
class MutationReport:
    """All Functions; `is_complete` is False where it was ended before all mutants had run."""

    functions: list[Mutated] = field(default_factory=list)
    tests: int = 0
    seconds: float = 0.0
    is_complete: bool = False

    @property
    def counts(self) -> Counter[Outcome]:
        return Counter(mutant.outcome for each in self.functions for mutant in each.mutants)

    @property
    def all_caught(self) -> bool:
        return self.is_complete and all(each.all_caught for each in self.functions)

    def to_dict(self) -> dict[str, Any]:
        return {
            "complete": self.is_complete,
            "all_caught": self.all_caught,
            "tests": self.tests,
            "seconds": round(self.seconds, 1),
            "counts": dict(self.counts),
            "functions": [each.to_dict() for each in self.functions],
        }
