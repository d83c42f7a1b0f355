"""The checks of `torchref check`, made in a fork, and what is heard of it until it ends."""

import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, field
from functools import partial

import torch

from torchref import InputError, Report, crosscheck
from torchref.checker.execution.isolation import NotIsolatedError, Say, how_it_ended, says
from torchref.checker.report.progress import Tick
from torchref.cli.reporting.gathering import gather, left_out
from torchref.cli.reporting.results import Result
from torchref.cli.supervision.forked import Forked
from torchref.cli.supervision.signals import STOPPED, StoppedError
from torchref.cli.supervision.supervisor import Heard, supervise
from torchref.cli.targets.device import device_named
from torchref.cli.targets.target import Given, Target, targets
from torchref.cli.terminal import err

Show = Callable[[str, int, int], None]


@dataclass
class HeardOfChecks(Heard):
    """What the fork has said of the candidates and of their checks."""

    address: str = ""
    found: tuple[list[str], list[Result]] | None = None  # what is checked, and why others are not
    cannot_go_back: bool = False  # through a graph: autograd's threads were not forked
    results: list[Result] = field(default_factory=list)

    def hear(self, kind: str, value: object) -> None:
        if kind == "result":
            assert isinstance(value, Result)
            self.results.append(value)
        elif kind == "note":
            err.print(value, soft_wrap=True, markup=False, highlight=False)
        else:
            super().hear(kind, value)

    def all_results(self) -> list[Result]:
        """Of all candidates, also those that were not reached.

        Raises `InputError` where the process has ended before it was known what there is to check.
        """
        if self.refused is not None:
            raise InputError(*self.refused)
        ended = how_it_ended(self.status)
        if self.found is None and self.is_interrupted:
            why = f"{STOPPED.name} came at {self.trying}"
            return [Result(self.address, why=why, is_interrupted=True)]
        if self.found is None:
            raise InputError(
                f"{self.trying} must not end the process",
                f"{ended} there",
                "Run it by itself to see where.",
            )
        names, others = self.found
        if not (self.is_done or self.is_interrupted) and len(self.results) < len(names):
            amid, *unreached = names[len(self.results) :]
            why = f"{ended} at {self.trying.removeprefix(f'{amid}: ')}"
            self.results.append(Result(amid, why=why, is_error=True))
            why = f"{ended} before"
            self.results += [Result(name, why=why, is_error=True) for name in unreached]
        return [*self.results, *left_out(names, self.results), *others]


def checked(address: str, given: Given, isolate: bool | None, show: Show) -> list[Result]:
    """Results of all that the address names, or why there are none.

    The user's modules are imported in a fork of this process, which they may end.
    """

    def start(ours: int, theirs: int) -> Forked:
        def work() -> None:
            os.close(ours)
            os.dup2(2, 1)  # of what prints without Python
            with os.fdopen(theirs, "wb") as pipe, suppress(StoppedError):
                say = _said_to(says(pipe))
                if _can_go_back():
                    _work(address, given, isolate, say)
                else:
                    say("cannot_go_back", True)

        return Forked(work)

    def tell(heard: HeardOfChecks) -> None:
        if heard.found is not None:  # until then the terminal is that of the modules
            show(heard.trying, len(heard.results), len(heard.found[0]))

    heard = supervise(start, HeardOfChecks(address=address), tell)
    if heard.cannot_go_back:
        _work(address, given, isolate, heard.hear)
    return heard.all_results()


def _can_go_back() -> bool:
    """Not in a fork of a process that has done so before, where there is a CUDA device."""
    try:
        torch.ones((), requires_grad=True).backward()
    except RuntimeError:
        return False
    return True


def _said_to(say: Say) -> Say:
    """Nobody hears it any more where the command was ended: then the work is to end too."""

    def say_or_stop(kind: str, value: object = None) -> None:
        try:
            say(kind, value)
        except BrokenPipeError:
            raise StoppedError from None

    return say_or_stop


def _work(address: str, given: Given, isolate: bool | None, say: Say) -> None:
    """Say what there is to check, and each result; what the user's code prints is no report."""
    try:
        with redirect_stdout(sys.stderr):
            device_named(given.device)
            found = list(targets(address, given, partial(say, "trying")))
            those = [each for each in found if isinstance(each, Target)]
            others = [each for each in found if isinstance(each, Result)]
            say("found", ([each.name for each in those], others))
            checks = [(each.name, partial(_check, each, isolate, say)) for each in those]
            for result in gather(checks, isolate is not False, partial(say, "trying")):
                say("result", result)
                if result.is_interrupted:
                    say("interrupted")
    except InputError as error:
        say("refused", error.args)
    except KeyboardInterrupt:
        say("interrupted")
    say("done")


def _check(target: Target, isolate: bool | None, say: Say, tick: Tick) -> Report:
    """In another process, unless that was declined, or nobody asked for it and it cannot be."""
    call = partial(crosscheck, target.candidate, **target.arguments, progress=tick)
    if isolate is False:
        return call()
    try:
        return call(isolate=True)
    except NotIsolatedError as error:
        if isolate:
            raise
        why = f"is checked beside the others, which a crash would end: {error}"
        say("note", f"note: {target.name} {why}")
        return call()
