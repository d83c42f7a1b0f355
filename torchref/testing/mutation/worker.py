"""The pytest plugin in the process of the tests: runs some of them, with what is to be planted.

Each request is a dictionary: `do` says what to plant, `tests` which to run, in this order. The
tests of a request run in a fork of the process, which has collected them and run none. Where it
cannot be forked they run in it, and it ends.
"""

import importlib
import os
import select
import socket
import sys
import sysconfig
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.autograd import Function

from torchref.auditor.interception import intercept
from torchref.checker.execution.fork import fork
from torchref.testing.mutation.command import FD
from torchref.testing.mutation.kinds import right_backward, wrong_backward
from torchref.testing.mutation.planting import planted
from torchref.testing.mutation.survey import Survey
from torchref.testing.mutation.target import Target, target_of

DONE = 77  # the exit status of a fork that has said all
MOST_WAIT = 60.0  # seconds, for a fork to show that it can go back through a graph
LOOK = 0.005  # seconds between two looks at whether a fork has ended
# Options that leave files, start debuggers or other workers, and what they are without.
OFF: dict[str, Any] = {
    "numprocesses": 0, "dist": "no", "tx": [], "maxworkerrestart": None, "looponfail": False,
    "usepdb": False, "trace": False, "basetemp": None, "xmlpath": None, "htmlpath": None,
    "cov_source": [], "json_report": False, "report_log": None, "pastebin": None,
}  # fmt: skip

Tell = Callable[..., None]
OfATest = Callable[[str], None]


def _nothing(_test: str) -> None:
    """What is done at a test where nothing is to be done."""


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """`--strict-config` refuses the place of the cache, which is given, where there is no cache."""
    if pluginmanager.is_blocked("cacheprovider"):
        parser.addini("cache_dir", "where nothing is kept")


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Before pytest-cov begins, which it does here."""
    if hasattr(early_config.known_args_namespace, "cov_source"):
        early_config.known_args_namespace.cov_source = []
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    for name, off in OFF.items():
        if hasattr(config.option, name):
            setattr(config.option, name, off)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """In place of pytest's own loop: run what is asked for, until there is nobody who asks."""
    if FD not in os.environ or session.testsfailed or session.config.option.collectonly:
        return None
    fd = int(os.environ.pop(FD))
    os.set_inheritable(fd, False)
    asked = Connection(fd)
    forks = _can_fork()
    plugins = session.config.pluginmanager.get_plugins()
    files = {item.path for item in session.items if isinstance(item, pytest.Function)}
    files |= {Path(plugin.__file__) for plugin in plugins if _is_conftest(plugin)}
    asked.send(("ready", [item.nodeid for item in session.items], sorted(map(str, files)),
                str(session.config.rootpath), forks))  # fmt: skip
    serve = _run_in_a_fork if forks else _run
    with suppress(EOFError, ConnectionError):
        while (request := asked.recv()) is not None:
            if request["do"] == "import":
                _import(request["modules"])
                asked.send(("imported", _can_fork()))
                continue
            serve(session, request, asked)
            if not forks:
                break
    return True


def _is_conftest(plugin: Any) -> bool:
    return Path(getattr(plugin, "__file__", None) or "").name == "conftest.py"


def _import(modules: list[str]) -> None:
    """What tests import while they run, so that not every fork has to."""
    for name in modules:
        with suppress(Exception):
            importlib.import_module(name)


def _installed_modules() -> set[str]:
    """Those that are imported by now, of which none is the user's."""
    files = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
    installed = {sysconfig.get_path(kind) for kind in ("stdlib", "purelib", "platlib")}
    return {
        name
        for name, file in files.items()
        if file is not None and any(Path(file).is_relative_to(folder) for folder in installed)
    }


def _can_fork() -> bool:
    """Whether a fork can go back through a graph: not where autograd or CUDA was used before."""
    if not hasattr(os, "fork") or torch.cuda.is_initialized():
        return False
    child = _fork(_go_back)
    begun = time.monotonic()
    while time.monotonic() - begun < MOST_WAIT:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status) == DONE
        time.sleep(LOOK)
    _end(child)
    return False


def _go_back() -> None:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.ones(2, device=device, requires_grad=True).sum().backward()


def _fork(work: Callable[[], None]) -> int:
    def work_alone() -> None:
        torch.set_num_threads(1)  # a pool of threads is not there in a fork
        work()

    return fork(work_alone, DONE)


def _end(child: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(child, 9)
        os.waitpid(child, 0)


def _run_in_a_fork(session: pytest.Session, request: dict[str, Any], asked: Connection) -> None:
    child = _fork(lambda: _run(session, request, asked))
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if _is_closed(asked):
            _end(child)
            raise EOFError
        time.sleep(LOOK)
    code = os.waitstatus_to_exitcode(ended[1])
    if code != DONE:
        asked.send(("died", f"signal {-code}" if code < 0 else f"exit status {code}"))


def _is_closed(asked: Connection) -> bool:
    """Whether nobody is there any more; a next request may wait already."""
    if not select.select([asked], [], [], 0)[0]:
        return False
    with socket.socket(fileno=os.dup(asked.fileno())) as same:
        return not same.recv(1, socket.MSG_PEEK)


def _run(session: pytest.Session, request: dict[str, Any], asked: Connection) -> None:
    tests = _Tests(session, request["tests"], bool(request.get("stop")))

    def tell(*message: Any) -> None:
        asked.send(message)

    answer = _ANSWERS[request["do"]](request, tests, tell)
    tell("done", answer)


class _Tests:
    """Some tests of the session, run one after another."""

    def __init__(self, session: pytest.Session, names: list[str], stop: bool) -> None:
        by_name = {item.nodeid: item for item in session.items}
        self.items = [by_name[name] for name in names if name in by_name]
        self.stop = stop  # at the first that fails
        self.reports: list[pytest.TestReport] = []
        session.config.pluginmanager.register(self)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.reports.append(report)

    def run(self, tell: Tell, begin: OfATest = _nothing, end: OfATest = _nothing) -> None:
        for item, following in zip(self.items, [*self.items[1:], None], strict=True):
            begin(item.nodeid)
            tell("test", item.nodeid)
            self.reports.clear()
            begun = time.monotonic()
            try:
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            except BaseException as error:  # pytest.exit, or a KeyboardInterrupt of the test's own
                tell("ended", item.nodeid, "failed", time.monotonic() - begun, repr(error))
                return
            outcome, text = self._outcome()
            end(item.nodeid)
            tell("ended", item.nodeid, outcome, time.monotonic() - begun, text)
            if outcome == "failed" and self.stop:
                return

    def _outcome(self) -> tuple[str, str]:
        for report in self.reports:
            if report.failed:
                return "failed", report.longreprtext
        called = any(report.when == "call" and report.passed for report in self.reports)
        return ("passed" if called else "skipped"), ""


def _baseline(_request: dict[str, Any], tests: _Tests, tell: Tell) -> dict[str, Any]:
    """The tests as they are, and which Functions each of them applies."""
    targets: dict[str, Target] = {}
    applied: dict[str, set[str]] = {}
    before = _installed_modules()
    running = [""]

    def note(function: type[Function], apply: Any, *args: Any, **kwargs: Any) -> Any:
        target = target_of(function)
        targets.setdefault(target.name, target)
        applied.setdefault(target.name, set()).add(running[0])
        return apply(*args, **kwargs)

    def begin(test: str) -> None:
        running[0] = test

    with intercept(note):
        tests.run(tell, begin)
    imported = sorted(_installed_modules() - before)
    return {"targets": targets, "applied": applied, "imported": imported}


def _unwatched(_request: dict[str, Any], tests: _Tests, tell: Tell) -> dict[str, Any]:
    tests.run(tell)
    return {}


def _survey(request: dict[str, Any], tests: _Tests, tell: Tell) -> dict[str, Any]:
    survey = Survey()
    names = set(request["functions"])

    def end(test: str) -> None:
        tell("surveyed", test, survey.take())

    with planted(lambda name: survey.around(name) if name in names else None):
        tests.run(tell, end=end)
    return {}


def _planted(request: dict[str, Any], tests: _Tests, tell: Tell) -> dict[str, Any]:
    if request["do"] == "mutant":
        around = wrong_backward(request["plan"])
    else:
        around = right_backward(request["calls"])
    with planted({request["function"]: around}.get):
        tests.run(tell)
    return {}


_ANSWERS = {
    "unwatched": _unwatched,
    "baseline": _baseline,
    "survey": _survey,
    "mutant": _planted,
    "control": _planted,
}
