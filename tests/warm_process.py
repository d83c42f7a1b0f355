"""Scripts in processes forked from one that has imported torch, which takes seconds.

Each has its own output, signals and end, as `python -m` has; how that starts is tested elsewhere.
"""

import faulthandler
import multiprocessing
import os
import runpy
import sys
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory

SECONDS = 300  # that a script may take

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(
    [
        "experiments.bundled_data",
        "matplotlib.backends.backend_agg",
        "matplotlib.figure",
        "sklearn.datasets",
        "tests.training.small_task",
        "torch._dynamo",  # which the first step of an optimiser imports
        "torchref.explainer.lectures",
        "torchref.explainer.tensorboard",
    ]
)


@dataclass(frozen=True)
class Ended:
    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Script:
    """`python -m MODULE ARGUMENTS`, going on."""

    process: BaseProcess
    said: TemporaryDirectory[str]

    def end(self, seconds: float = SECONDS) -> Ended:
        """Waits for it, and kills what is not done by then."""
        self.process.join(seconds)
        self.process.kill()
        self.process.join()
        files = [Path(self.said.name, name) for name in ("stdout", "stderr")]
        texts = [file.read_text(encoding="utf-8") for file in files]
        self.said.cleanup()
        assert self.process.exitcode is not None
        return Ended(self.process.exitcode, *texts)


def begin(module: str, *arguments: object, **environment: object) -> Script:
    said = TemporaryDirectory()
    line = [module, *map(str, arguments)]
    added = {name: str(value) for name, value in environment.items()}
    process = processes.Process(target=_main, args=(line, added, Path(said.name)))
    process.start()
    return Script(process, said)


def run(module: str, *arguments: object) -> Ended:
    return begin(module, *arguments).end()


def _main(line: list[str], environment: dict[str, str], said: Path) -> None:
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(said / name, os.O_WRONLY | os.O_CREAT), descriptor)
    faulthandler.dump_traceback_later(0.9 * SECONDS)  # of all threads, where it does not end
    os.environ.update(environment)
    sys.argv = line
    runpy.run_module(line[0], run_name="__main__", alter_sys=True)
