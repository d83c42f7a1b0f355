"""The call: `torchref.audit`."""

import inspect
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from numbers import Integral
from types import TracebackType
from typing import Any, Self

from torchref.auditor.checking.checking import Tick, checked, named
from torchref.auditor.interception import intercept
from torchref.auditor.recording.recorder import Recorder, Seen
from torchref.auditor.report.report import AuditReport, Row
from torchref.auditor.unseen import compiled_frames, notes_on
from torchref.checker.crosscheck import crosscheck
from torchref.checker.report.progress import progress_bar
from torchref.errors import InputError

OF_THE_CALL = {"candidate", "reference", "inputs", "kwargs", "samples", "wrt", "expect", "progress"}
OPTIONS = tuple(
    name for name in inspect.signature(crosscheck).parameters if name not in OF_THE_CALL
)


def audit(*, memory: int = 2**28, calls: int = 3) -> "Audit":
    """Notice every `torch.autograd.Function` that a program applies, to cross-check them after it.

    memory      the bytes that copies of inputs and cotangents may take altogether
    calls       how many calls of each Function are kept, of different shapes, strides or options

    The program gets the same results, bit for bit. Raises `InputError` for a bound below 1.

    >>> from torchref.ops import Sigmoid
    >>> x = torch.randn(4, 3, requires_grad=True)
    >>> with audit() as program:
    ...     Sigmoid.apply(x).sum().backward()
    >>> report = program.report()
    >>> report.verdict, report.rows[0].name, report.rows[0].calls
    ('right', 'Sigmoid', 1)
    """
    for name, given in (("memory", memory), ("calls", calls)):
        if not isinstance(given, Integral) or isinstance(given, bool) or given < 1:
            raise InputError(
                f"{name} must be a whole number of at least 1",
                f"{given!r} arrived",
                "Leave it out for the default.",
            )
    return Audit(Recorder(int(memory), int(calls)))


class Audit:
    """What a program applies within `with`; `report` checks it afterwards."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.frames = 0  # that torch.compile has traced meanwhile
        self._stack: ExitStack | None = None

    def __enter__(self) -> Self:
        if self._stack is not None:
            raise InputError(
                "an audit must be entered once at a time",
                "it is recording already",
                "Make another with torchref.audit().",
            )
        self._before = compiled_frames()
        self._stack = ExitStack()
        self._stack.enter_context(intercept(self.recorder.around))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._stack is not None
        self._stack.close()
        self._stack = None
        self.frames += compiled_frames() - self._before

    def report(
        self,
        *,
        references: Mapping[str, Any] | None = None,
        expect: Mapping[str, str] | None = None,
        progress: bool | Tick = False,
        **options: Any,
    ) -> AuditReport:
        """Cross-check every Function that was applied, at the inputs that it had.

        references  by the name of a Function, what it should equal
        expect      by the name of a Function, why it is not the gradient of its forward: it is
                    reported as expected, and does not count
        progress    True for a progress bar on standard error; or a function, called with a word on
                    what is tried next
        options     those of `crosscheck`: seed, order, vary, tolerance, seconds, isolate, ...

        Each kept call is checked in the precision in which the program made it, with random
        cotangents and with those that arrived, then with variations as `crosscheck` does. Raises
        `InputError` within the `with`, and for what `crosscheck` does not take.
        """
        with _telling(progress) as tick:
            rows = self.rows(references or {}, expect or {}, options, tick)
            return AuditReport(tuple(rows), tuple(self.notes(references or {}, expect or {})))

    def rows(
        self,
        references: Mapping[str, Any],
        expect: Mapping[str, str],
        options: Mapping[str, Any],
        tick: Tick,
        names: Collection[str] | None = None,
    ) -> Iterator[Row]:
        """The rows of the report, or of some of its Functions, each as soon as it is known."""
        if self._stack is not None:
            raise InputError(
                "an audit must be reported after its with block",
                "it is recording still",
                "Write report = audit.report() below it, outside.",
            )
        unknown = [name for name in options if name not in OPTIONS]
        if unknown:
            raise InputError(
                f"the options of a report must be of {', '.join(OPTIONS)}",
                f"{', '.join(unknown)} arrived",
                "The inputs are those of the program; references= and expect= go by Functions.",
            )
        for option, by_name in (("references", references), ("expect", expect)):
            if not isinstance(by_name, Mapping):
                raise InputError(
                    f"{option} must go by the names of Functions",
                    f"{by_name!r} arrived",
                    f'Write {option}={{"Round": ...}}.',
                )
        for name, reason in expect.items():
            if not isinstance(reason, str) or not reason.strip():
                raise InputError(
                    "expect must give a reason for each Function",
                    f"{reason!r} arrived for {name}",
                    'Write expect={"Round": "straight-through"}.',
                )
        seen = {name: s for name, s in self.seen.items() if names is None or name in names}
        return checked(seen, references, expect, options, tick)

    def notes(self, references: Mapping[str, Any], expect: Mapping[str, str]) -> Iterator[str]:
        """What the report says beside its rows."""
        everything = self.recorder.seen.values()
        return notes_on(everything, list(self.seen), self.frames, references, expect)

    @property
    def seen(self) -> dict[str, Seen]:
        """The Functions that were applied, by name."""
        return named(self.recorder.seen.values())


def _telling(progress: bool | Tick) -> AbstractContextManager[Tick]:
    if callable(progress):
        return nullcontext(progress)
    return progress_bar("audit") if progress else nullcontext(lambda _: None)
