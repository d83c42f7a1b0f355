"""The process of `torchref audit` in which the program runs, as `python` itself would run it.

This file is run by its path, and imports nothing at first but what Python brings: a program may set
what torch reads as it is imported. torchref comes in as the first Function is applied.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import pickle
import sys
import threading
import types
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

ROOT = str(Path(__file__).resolve().parents[3])  # where this torchref is, and no other
OURS = (__file__, os.path.join(ROOT, "torchref", "auditor"))  # noqa: PTH118 - as frames have it
LENGTH = 8  # bytes, that say how many an answer has: see torchref.checker.execution.isolation
STAND_IN = "torchref audit"  # no name of a module that anybody imports

Say = Callable[..., None]


class Ended(NamedTuple):
    """How a program ended: "ended", "failed", "interrupted" or "absent"; and in words, if need be.

    A program that is absent has not begun.
    """

    how: str
    told: str = ""


class AfterTorch(importlib.abc.MetaPathFinder):
    """Calls `then` as soon as torch has been imported."""

    def __init__(self, then: Callable[[], None]) -> None:
        self.then = then

    def find_spec(self, name: str, *_: Any) -> importlib.machinery.ModuleSpec | None:
        if name != "torch":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def load_and_tell(module: types.ModuleType) -> None:
            load(module)
            self.then()

        spec.loader.exec_module = load_and_tell  # type: ignore[method-assign]
        return spec


class Beginning:
    """Begins an audit as the first Function is applied; `audit` is None until then."""

    def __init__(self, memory: int, calls: int, say: Say) -> None:
        self.memory, self.calls, self.say = memory, calls, say
        self.audit: Any = None
        self._lock = threading.Lock()

    def await_first(self) -> None:
        """Stand in for `Function.apply` until it is called."""
        from torch.autograd import Function

        method = Function.apply.__func__  # type: ignore[attr-defined]  # of a bound method
        original = method.__code__

        def begin() -> None:
            with self._lock:
                if self.audit is None:
                    method.__code__ = original
                    self.begin()

        sys.modules[STAND_IN] = types.ModuleType(STAND_IN)
        sys.modules[STAND_IN].begin = begin  # type: ignore[attr-defined]  # a module takes any name
        method.__code__ = _Entrance.apply.__code__

    def begin(self) -> None:
        """Import torchref, and record from here on."""
        sys.path.insert(0, ROOT)
        try:
            from torchref.auditor.audit import audit
            from torchref.auditor.unseen import compiled_frames
        finally:
            sys.path.remove(ROOT)
        if ROOT not in sys.path:
            sys.path.append(ROOT)  # for what is imported later, and in other processes
        self.audit = audit(memory=self.memory, calls=self.calls)
        self.audit.frames = compiled_frames()
        pid = os.getpid()

        def tell(definition: Any) -> None:
            if os.getpid() == pid and not definition.is_of_torch:
                self.say("seen", (definition.qualname, definition.file, definition.line))

        self.audit.recorder.tell = tell
        self.audit.__enter__()


class _Entrance:
    def apply(cls: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        """Stands in for `Function.apply`, among the names of torch's own module."""
        import sys

        # torch's has this closure, and whoever reads the frame looks for it
        __class__  # type: ignore[name-defined]  # noqa: B018
        sys.modules["torchref audit"].begin()
        return cls.apply(*args, **kwargs)


def run(program: list[str], is_module: bool) -> Ended:
    """Run a script or a module as `python` does, until its threads have ended too."""
    try:
        code, main = _of_module(program) if is_module else _of_script(program)
    except AbsentError as absent:
        return Ended("absent", str(absent))
    except SyntaxError as error:
        return _failed(error)
    sys.modules["__main__"] = main
    try:
        exec(code, vars(main))
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and not thread.daemon:
                thread.join()
    except SystemExit as end:
        return _exited(end.code)
    except KeyboardInterrupt:
        return Ended("interrupted")
    except BaseException as error:
        return _failed(error)
    return Ended("ended")


class AbsentError(Exception):
    """There is no such program; the message says why."""


def _of_script(program: list[str]) -> tuple[types.CodeType, types.ModuleType]:
    file = os.path.abspath(program[0])  # noqa: PTH100 - links stay as they are
    sys.argv[:] = program
    sys.path[0] = os.path.dirname(os.path.realpath(file))  # noqa: PTH120
    try:
        text = Path(file).read_bytes()
    except OSError as error:
        raise AbsentError(f"{program[0]} cannot be read: {error.strerror}") from None
    main = types.ModuleType("__main__")
    loader = importlib.machinery.SourceFileLoader("__main__", file)
    main.__dict__.update(__file__=file, __loader__=loader, __builtins__=__builtins__)
    return compile(text, file, "exec", dont_inherit=True), main


def _of_module(program: list[str]) -> tuple[types.CodeType, types.ModuleType]:
    name = program[0]
    sys.argv[:] = program
    sys.path[0] = os.getcwd()  # noqa: PTH109
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            name = f"{name}.__main__"
            spec = importlib.util.find_spec(name)
    except SyntaxError:
        raise
    except (Exception, SystemExit) as error:
        raise AbsentError(f"{name} cannot be imported: {type(error).__name__}: {error}") from None
    if spec is None:
        raise AbsentError(f"there is no module {name}")
    code = getattr(spec.loader, "get_code", lambda _: None)(name)
    if code is None:
        raise AbsentError(f"{name} holds no Python code")
    sys.argv[0] = spec.origin or name
    main = types.ModuleType("__main__")
    main.__dict__.update(
        __file__=spec.origin,
        __cached__=spec.cached,
        __loader__=spec.loader,
        __package__=spec.parent,
        __spec__=spec,
        __builtins__=__builtins__,
    )
    return code, main


def _exited(code: object) -> Ended:
    if code is None or code == 0:
        return Ended("ended")
    if isinstance(code, int):
        return Ended("failed", f"ended with exit status {code}")
    print(code, file=sys.stderr)
    return Ended("failed", f"ended by sys.exit: {str(code).splitlines()[0] if str(code) else ''}")


def _failed(error: BaseException) -> Ended:
    """The traceback as Python prints it, without the frames that ran the program."""
    frames = []
    trace = error.__traceback__
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith(OURS):
            frames.append(trace)
        trace = trace.tb_next
    shown: types.TracebackType | None = None
    for each in reversed(frames):
        shown = types.TracebackType(shown, each.tb_frame, each.tb_lasti, each.tb_lineno)
    with suppress(Exception):
        sys.excepthook(type(error), error.with_traceback(shown), shown)
    first = (str(error).strip().splitlines() or [""])[0]
    return Ended("failed", f"raised {type(error).__name__}: {first}".removesuffix(": "))


def main() -> None:
    """Run the program, say how it ended, and check what it has applied."""
    pipe = os.fdopen(int(sys.argv[1]), "wb")
    os.set_inheritable(pipe.fileno(), False)
    settings, program = json.loads(sys.argv[2]), sys.argv[3:]
    lock, pid = threading.Lock(), os.getpid()

    def say(kind: str, value: Any = None) -> None:
        answer = pickle.dumps((kind, value))
        with lock, suppress(BrokenPipeError):  # where nobody listens, the program goes on
            pipe.write(len(answer).to_bytes(LENGTH) + answer)
            pipe.flush()

    beginning = Beginning(settings["memory"], settings["calls"], say)
    sys.meta_path.insert(0, AfterTorch(beginning.await_first))
    ended = run(program, settings["is_module"])
    if os.getpid() != pid:  # a fork that came to the end of the program as well
        sys.exit(ended.how != "ended")
    try:
        say("program", tuple(ended))
        if beginning.audit is None and "torch" in sys.modules and ended.how != "absent":
            beginning.begin()  # for what torch.compile may have traced
        if beginning.audit is not None:
            beginning.audit.__exit__(None, None, None)
            from torchref.cli.auditing.checks import check

            check(beginning.audit, settings, say, ended.how == "interrupted")
    except KeyboardInterrupt:
        say("interrupted")
    say("done")


if __name__ == "__main__":
    main()
