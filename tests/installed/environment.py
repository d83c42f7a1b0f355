"""An environment of one Python, outside the checkout, and what is run in it."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

HOUSE = Path(__file__).parents[2]
SHOWN = 40  # lines of what a command that failed has printed last


class FailedError(Exception):
    """A command has ended with a status that is not 0: the message has its last lines."""


def run(*command: str | Path, at: Path, **environment: str) -> str:
    """What a command prints, run in a folder; `environment` is set beside what is set already.

    PYTHONPATH is taken away: what is run finds only what is installed, and what is in its folder.
    """
    words = [str(word) for word in command]
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        words,
        cwd=at,
        env={**inherited, "COLUMNS": "100", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        last = "\n".join(done.stdout.splitlines()[-SHOWN:])
        raise FailedError(f"{shlex.join(words)}\nended with status {done.returncode}:\n{last}")
    return done.stdout


class Environment:
    """A virtual environment in a folder, made by a Python unless it is there."""

    def __init__(self, folder: Path, python: str | Path = sys.executable) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        if not (self.bin / "python").exists():
            run(python, "-m", "venv", folder, at=folder.parent)

    def install(self, *wanted: str | Path, constraints: Path) -> None:
        run(self.bin / "python", "-m", "pip", "install", "-q", "-c", constraints, *wanted, at=HOUSE)

    def python(self, *arguments: str | Path, at: Path) -> str:
        return run(self.bin / "python", *arguments, at=at)
