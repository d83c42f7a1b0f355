"""What a test calls: a cross-check that fails the test."""

import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import pytest
import torch

from torchref.checker import Report, crosscheck
from torchref.errors import InputError


class Session(Protocol):
    """The test run, as far as a cross-check needs it."""

    def keep(self, test: str, report: dict[str, Any], *, enforced: bool) -> None: ...
    def audit_paused(self) -> AbstractContextManager[None]: ...


class Crosscheck:
    """The fixture `crosscheck`: call it as `torchref.crosscheck`.

    It fails the test, with the report for the message, unless the verdict is "right"; then it
    returns the report. Without `seed=` the seed is that of the test's name.

    >>> def test_sine(crosscheck: "Crosscheck") -> None:
    ...     crosscheck(torch.sin, torch.sin, (torch.randn(4, 3),))
    """

    def __init__(self, test: str, session: Session) -> None:
        self.test = test
        self.seed = seed_of(test)
        self._session = session

    def __call__(
        self, candidate: Any, reference: Any = None, inputs: Any = None, **options: Any
    ) -> Report:
        __tracebackhide__ = True  # pytest shows the test's own line
        report = self._report(candidate, reference, inputs, options, enforced=True)
        if report.verdict != "right":
            pytest.fail(str(report))
        return report

    def report(
        self, candidate: Any, reference: Any = None, inputs: Any = None, **options: Any
    ) -> Report:
        """The report, whatever its verdict: for a test that expects another than "right"."""
        __tracebackhide__ = True
        return self._report(candidate, reference, inputs, options, enforced=False)

    def _report(
        self,
        candidate: Any,
        reference: Any,
        inputs: Any,
        options: dict[str, Any],
        *,
        enforced: bool,
    ) -> Report:
        __tracebackhide__ = True
        try:
            with self._session.audit_paused():  # inputs that were made up here are not the suite's
                report = crosscheck(candidate, reference, inputs, **{"seed": self.seed, **options})
        except InputError as error:
            raise error.with_traceback(None) from None  # the message says what to do
        self._session.keep(self.test, report.to_dict(), enforced=enforced)
        return report


def seed_of(name: str) -> int:
    """The same number for the same name, in each process.

    >>> seed_of("tests/test_swish.py::test_swish")
    3367552929
    """
    return zlib.crc32(name.encode())


@contextmanager
def random_numbers_of(seed: int) -> Iterator[None]:
    """Torch's generators, seeded; afterwards they go on as if nothing had been drawn."""
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
