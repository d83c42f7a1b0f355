"""Checks are made one after the other, and what is tried is shown."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from torchref import Report
from torchref.checker.report.progress import Tick
from torchref.checker.report.report import InterruptionError
from torchref.cli.reporting.results import Result
from torchref.cli.supervision.signals import STOPPED
from torchref.cli.terminal import err
from torchref.errors import InputError, came_out

Check = Callable[[Tick], Report]


def gather(checks: Sequence[tuple[str, Check]], isolate: bool, tick: Tick) -> Iterator[Result]:
    """The result of each check, made now; after Ctrl-C amid one none comes any more.

    What a check raises is its result. Without `isolate`, an assertion on the device is the end.
    """
    has_context = True
    for name, check in checks:
        if not has_context:
            yield Result(name, why="no CUDA call works in this process")
            continue
        try:
            result = _made(name, check, tick)
        except InterruptionError as interruption:
            yield Result(name, interruption.report, is_interrupted=True)
            return
        has_context = isolate or not result.tried("device")
        yield result


def left_out(names: Sequence[str], results: Sequence[Result]) -> list[Result]:
    """Results for the names that have none, since a signal came."""
    why = f"{STOPPED.name} came before"
    return [Result(name, why=why, is_interrupted=True) for name in names[len(results) :]]


def _made(name: str, check: Check, tick: Tick) -> Result:
    start = time.monotonic()
    report, why = None, ""
    tick(name)
    try:
        report = check(lambda what: tick(f"{name}: {what}"))
    except InputError as error:
        why = str(error)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # of the user's own kind, or SystemExit
        why = came_out(error)
    return Result(name, report, why, report is None, time.monotonic() - start)


@contextmanager
def bar() -> Iterator[Callable[[str, int, int], None]]:
    """What shows on a terminal what is tried, how much is done, and of how much."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    progress = Progress(*columns, console=err, transient=True, disable=not err.is_terminal)
    task = progress.add_task("")

    def show(what: str, done: int, of: int) -> None:
        progress.update(task, description=escape(what[:60]), completed=done, total=of)
        progress.start()  # a thread: not before this process is forked

    try:
        yield show
    finally:
        progress.stop()
