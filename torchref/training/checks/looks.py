"""What became of all live checks of one contender, told at the end of its training."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torchref.checker import Report

NAMED = 3  # parameters of one cause, and causes


@dataclass
class Looks:
    """How many checks had which verdict, and when and why the first was wrong.

    >>> print(Looks(Counter({"right": 8})))
    8 right
    >>> print(Looks(Counter({"right": 6, "wrong": 2}), 30, "sign-flipped in weight"))
    2 wrong, the first at step 30: sign-flipped in weight; 6 right
    """

    verdicts: Counter[str] = field(default_factory=Counter)
    first_wrong: int | None = None  # the step
    causes: str = ""

    def note(self, step: int, report: Report) -> None:
        """Takes the report of a check."""
        self.verdicts[report.verdict] += 1
        if report.verdict == "wrong" and self.first_wrong is None:
            self.first_wrong, self.causes = step, causes_of(report)

    def __str__(self) -> str:
        told = {verdict: f"{count} {verdict}" for verdict, count in self.verdicts.items()}
        if "wrong" in told:
            told["wrong"] += f", the first at step {self.first_wrong}: {self.causes}"
        return "; ".join(told[each] for each in ("wrong", "cannot tell", "right") if each in told)

    def state_dict(self) -> dict[str, Any]:
        return {
            "verdicts": dict(self.verdicts),
            "first_wrong": self.first_wrong,
            "causes": self.causes,
        }

    @classmethod
    def from_state_dict(cls, state: Mapping[str, Any]) -> "Looks":
        return cls(Counter(state["verdicts"]), state["first_wrong"], state["causes"])


def causes_of(report: Report) -> str:
    """Each cause with the parameters that have it, of many the first few."""
    return some(
        [
            f"{each.cause} in {some(each.argument.split(', '))}" if each.argument else each.cause
            for each in report.findings
        ],
        "; ",
    )


def some(names: Sequence[str], between: str = ", ") -> str:
    """The first names, and how many more there are.

    >>> some(["first", "second", "third", "fourth", "fifth"])
    'first, second, third and 2 more'
    """
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return between.join(names[:NAMED]) + more
