"""The course of a test of the tests: run them once, see what is wrong where, plant it, rerun."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any

from torchref.errors import InputError
from torchref.testing.mutation.command import pytest_arguments
from torchref.testing.mutation.kinds import KINDS
from torchref.testing.mutation.results import Mutant, Mutated, MutationReport
from torchref.testing.mutation.selection import chosen, in_order
from torchref.testing.mutation.suite import DiedError, OutOfTimeError, Suite
from torchref.testing.mutation.survey import Seen
from torchref.testing.mutation.target import Target

Progress = Callable[[str, int, int], None]  # what is done, how much of it, of how much
TEST_FIRST = "Mend that first: what a suite lets through is told by what it fails at."


@dataclass
class MutationRun:
    """One course; `report` holds what is known until now, after an interruption too."""

    words: Sequence[str]  # pytest ARGS
    functions: Sequence[str] = ()  # names or patterns; the user's own if none
    seconds: float | None = None  # for one wrong gradient
    jobs: int = 1
    progress: Progress = lambda _what, _done, _of: None
    report: MutationReport = field(default_factory=MutationReport, init=False)
    _took: dict[str, float] = field(default_factory=dict, init=False)
    _caught: defaultdict[str, set[str]] = field(init=False)
    _minds: dict[tuple[str, str, int], bool] = field(default_factory=dict, init=False)
    _suites: list[Suite] = field(default_factory=list, init=False)
    _is_stopped: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._caught = defaultdict(set)

    def run(self) -> MutationReport:
        """Raises `InputError` where the tests fail as they are, or apply no Function to change.

        A `KeyboardInterrupt` passes through, after all processes were ended.
        """
        arguments = pytest_arguments(self.words)
        begun = time.monotonic()
        with TemporaryDirectory(prefix="torchref-mutate-", ignore_cleanup_errors=True) as folder:
            self._suites = [
                Suite(arguments, Path(folder) / str(number)) for number in range(self.jobs)
            ]
            try:
                applied = self._baseline()
                self._survey(applied)
                self._try_all()
                for suite in self._suites:
                    suite.end()
                self.report.is_complete = True
            finally:
                self._stop()
                self.report.seconds = time.monotonic() - begun
        return self.report

    def _stop(self) -> None:
        self._is_stopped = True
        for suite in self._suites:
            suite.stop()

    def _baseline(self) -> dict[str, tuple[Target, set[str]]]:
        """The Functions to change, each with the tests that apply it."""
        suite = self._suites[0]
        self.progress("collecting the tests", 0, 1)
        collected = suite.start()
        self.report.tests = len(collected.tests)
        if not collected.tests:
            raise InputError(
                "pytest must find tests", "it found none", "Run the same pytest command by itself."
            )
        told = self._run_as_they_are(suite, "baseline", collected.tests)
        for each in self._suites:
            each.import_first(told["imported"])
        targets = chosen(told["targets"], self.functions, collected)
        return {
            each.name: (each, {test for test in told["applied"][each.name] if test in self._took})
            for each in targets
        }

    def _run_as_they_are(self, suite: Suite, do: str, tests: list[str]) -> dict[str, Any]:
        """What the process answers; tests that fail only while they are watched are passed over."""
        failed: list[tuple[str, str]] = []
        done, answer = 0, dict[str, Any]()
        try:
            for kind, *message in suite.ask({"do": do, "tests": tests}, {}):
                if kind == "ended":
                    test, outcome, seconds, text = message
                    done += 1
                    self.progress("the tests as they are", done, len(tests))
                    if outcome == "passed" and do == "baseline":
                        self._took[test] = seconds
                    elif outcome == "failed":
                        failed.append((test, text))
                elif kind == "done":
                    answer = message[0]
        except DiedError as error:
            failed.append((error.test, f"the process of the tests ended: {error}"))
        if failed and do == "baseline" and answer:
            self._run_as_they_are(suite, "unwatched", [test for test, _ in failed])
        elif failed:
            test, text = failed[0]
            tail = "\n".join(text.rstrip().splitlines()[-20:])
            others = f" and {len(failed) - 1} more" if failed[1:] else ""
            arrived = f"{test}{others} failed:\n{tail}\n"
            raise InputError("the tests must pass as they are", arrived, TEST_FIRST)
        return answer

    def _survey(self, applied: dict[str, tuple[Target, set[str]]]) -> None:
        """Enter each Function, the tests in which it goes back, and its wrong gradients."""
        seen: defaultdict[str, Seen] = defaultdict(Seen)
        gone_back: defaultdict[str, set[str]] = defaultdict(set)
        unknown: set[str] = set()
        touching = [
            test for test in self._took if any(test in tests for _, tests in applied.values())
        ]
        for test, outcome, found in self._surveyed(touching, list(applied)):
            if outcome != "passed":
                unknown.add(test)
            for name, of_one in found.items():
                gone_back[name].add(test)
                seen[name].add(of_one)
        order = list(KINDS)
        for name, (target, tests) in applied.items():
            one = Mutated(target, sorted(tests & (gone_back[name] | unknown)))
            one.is_gone_back = bool(gone_back[name] or tests & unknown)
            plans = sorted(seen[name].plans, key=lambda plan: (order.index(plan[0]), plan[1] or 0))
            one.mutants = [Mutant(target, plan) for plan in plans]
            never = sorted(seen[name].unasked - seen[name].asked)
            one.never_asked = [target.argument(index) for index in never]
            if one.is_gone_back and not one.mutants:
                one.left_out = tests & unknown
            if not one.is_gone_back:
                one.tests = sorted(tests)
            self.report.functions.append(one)

    def _surveyed(
        self, tests: list[str], names: list[str]
    ) -> Iterator[tuple[str, str, dict[str, Seen]]]:
        """Of each test how it ended, and what was seen; a test that ends all is gone around."""
        left, found = tests, dict[str, Seen]()
        while left:
            request = {"do": "survey", "tests": left, "functions": names}
            try:
                for kind, *told in self._suites[0].ask(request, self._took):
                    if kind == "surveyed":
                        found = told[1]
                    elif kind == "ended":
                        yield told[0], told[1], found
                        left, found = left[left.index(told[0]) + 1 :], {}
                        self.progress("what is wrong where", len(tests) - len(left), len(tests))
                left = []
            except (DiedError, OutOfTimeError) as error:
                last = error.test or left[0]
                yield last, "ended", {}
                left = left[left.index(last) + 1 :]

    def _try_all(self) -> None:
        waiting: SimpleQueue[tuple[Mutated, Mutant]] = SimpleQueue()
        for each in self.report.functions:
            for mutant in each.mutants:
                waiting.put((each, mutant))
        of, done = waiting.qsize(), SimpleQueue[Mutant]()

        def work(suite: Suite) -> None:
            while not self._is_stopped:
                try:
                    each, mutant = waiting.get_nowait()
                except Empty:
                    return
                self._try(suite, each, mutant)
                done.put(mutant)
                name = f"{mutant.target.short_name}, {mutant.name}"
                self.progress(name, done.qsize(), of)

        with ThreadPoolExecutor(len(self._suites)) as pool:
            try:
                for each_work in [pool.submit(work, suite) for suite in self._suites]:
                    each_work.result()
            except BaseException:
                self._stop()  # before the threads are waited for
                raise

    def _try(self, suite: Suite, each: Mutated, mutant: Mutant) -> None:
        calls = 2 if KINDS[mutant.plan[0]].calls_twice else 1
        name = mutant.target.name
        while not self._is_stopped:
            minding = {test for test in each.tests if self._minds.get((name, test, calls))}
            tests = in_order(
                set(each.tests) - minding, mutant.target, self._took, self._caught[name]
            )
            request = {"do": "mutant", "function": name, "plan": mutant.plan, "tests": tests}
            test, how = self._first_failing(suite, request) if tests else (None, "undecided")
            if self._is_stopped:
                return
            if test is None or how == "undecided":
                passed = how == "passed" and not minding
                mutant.outcome, mutant.test = "survived" if passed else "undecided", test
                return
            if not self._minds_being_watched(suite, name, test, calls):
                mutant.outcome = "timed out" if how == "timed out" else "caught"
                mutant.test = test
                self._caught[name].add(test)
                return
            each.left_out.add(test)

    def _first_failing(self, suite: Suite, request: Mapping[str, object]) -> tuple[str | None, str]:
        """The test that fails at what is planted, if one does, and how."""
        failed = None
        try:
            for kind, *told in suite.ask({**request, "stop": True}, self._took, self.seconds):
                if kind == "ended" and told[1] == "failed":
                    failed = told[0]
        except DiedError as error:
            return error.test or None, "died" if error.test else "undecided"
        except OutOfTimeError as error:
            return error.test or None, "timed out" if error.hangs else "undecided"
        return failed, "failed" if failed else "passed"

    def _minds_being_watched(self, suite: Suite, name: str, test: str, calls: int) -> bool:
        """Whether a test fails with the right backward planted: what it caught was not wrong."""
        key = (name, test, calls)
        if key not in self._minds:
            request = {"do": "control", "function": name, "calls": calls, "tests": [test]}
            failing, _ = self._first_failing(suite, request)
            self._minds[key] = failing is not None
        return self._minds[key]
