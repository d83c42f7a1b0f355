"""What an oracle says of the gradients of one run."""

from dataclasses import dataclass, field

from torch import Tensor

from torchref.checker.report.findings import Finding


@dataclass(frozen=True)
class Fault:
    """One argument whose gradient is wrong: where, and what it should be.

    `wrong` marks the wrong entries and `true` holds the right ones, where all are known;
    `element` is the worst of them, or the one that halving found.
    """

    place: int
    name: str
    got: Tensor | None
    true: Tensor | None
    wrong: Tensor | None
    element: tuple[int, ...]
    got_value: complex
    true_value: complex


@dataclass
class OracleResult:
    """The worst error over its tolerance, the faults, and what was let pass.

    `told` is False where the oracle cannot tell, for the reason in `why`.
    """

    worst: float = 0.0
    faults: list[Fault] = field(default_factory=list)
    blameless: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    told: bool = True
    why: str = ""

    def cannot_tell(self, why: str) -> "OracleResult":
        self.told, self.why = False, why
        return self
