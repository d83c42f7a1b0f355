"""What a probe is: a test of behaviour on one run, and how it ends."""

from collections.abc import Callable
from dataclasses import dataclass, field

from torchref.checker.execution.cuda import ends_the_context
from torchref.checker.execution.run import Run
from torchref.checker.report.findings import Finding


@dataclass(frozen=True)
class Outcome:
    """Findings, or the worst error in units of its tolerance, or why nothing was tried."""

    findings: list[Finding] = field(default_factory=list)
    worst: float | None = None
    skipped: str = ""

    @classmethod
    def skip(cls, why: str) -> "Outcome":
        return cls(skipped=why)


Probe = Callable[[Run], Outcome]


def tried(probe: Probe, run: Run) -> Outcome:
    try:
        return probe(run)
    except Exception as error:  # the candidate may fail in ways no probe foresees
        if ends_the_context(error):
            raise
        return Outcome.skip(f"could not be tried: {first_line(error)}")


def first_line(error: BaseException) -> str:
    """What an error says first, without its traceback and advice."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return line.partition(". ")[0]
