"""What a scan finds: the Functions, what each lacks, and the files that could not be read."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

Style = Literal["forward(ctx, ...)", "setup_context", "custom op"]
Trait = Literal[
    "no setup_context",
    "saves an intermediate",
    "keeps a tensor on ctx",
    "ignores needs_input_grad",
    "not once_differentiable",
    "writes in place",
    "number of gradients",
    "no backward",
]


@dataclass(frozen=True)
class Argument:
    """One argument of forward, as the source writes it."""

    name: str
    annotation: str | None
    default: str | None


@dataclass(frozen=True)
class Lack:
    """One thing that a Function lacks: which, in what line of its file, and a sentence."""

    trait: Trait
    line: int
    sentence: str
    file: Path


@dataclass(frozen=True)
class Application:
    """A place that applies the Function, and the function around it, if there is one."""

    file: Path
    line: int
    wrapper: str | None


@dataclass(frozen=True)
class ScannedFunction:
    """One Function, as its source shows it."""

    address: str
    file: Path
    line: int
    style: Style
    arguments: tuple[Argument, ...]
    applied: tuple[Application, ...]
    lacks: tuple[Lack, ...]
    reachable: bool  # by its address: not where a function defines the class
    condition: str | None  # under which the module defines it
    check_call: str | None  # None where it is not reachable

    def to_dict(self) -> dict[str, Any]:
        """What JSON can hold."""
        plain = asdict(self)
        plain["file"] = str(self.file)
        for each in (*plain["applied"], *plain["lacks"]):
            each["file"] = str(each["file"])
        return plain


@dataclass(frozen=True)
class Skipped:
    """A file that was not scanned, and why."""

    file: Path
    why: str


@dataclass(frozen=True)
class Survey:
    """All that a scan found."""

    functions: tuple[ScannedFunction, ...]
    skipped: tuple[Skipped, ...]
    files: int  # that were read
