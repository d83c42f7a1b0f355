"""The user's pytest command, and how its process is started so that it leaves nothing behind."""

import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from torchref.errors import InputError

FD = "TORCHREF_MUTATION_FD"  # the variable that names the connection to the process
PLUGIN = "torchref.testing.mutation.worker"
RUNNERS = {"pytest", "py.test"}


def pytest_arguments(words: Sequence[str]) -> list[str]:
    """What pytest is to be given, of `pytest ARGS` or `python -m pytest ARGS`.

    Raises `InputError` where it is another command, and where pytest is not installed.

    >>> pytest_arguments(["python", "-m", "pytest", "tests", "-x"])
    ['tests', '-x']
    """
    names = [Path(word).name for word in words]
    if names and names[0] in RUNNERS:
        rest = words[1:]
    elif len(names) > 2 and names[0].startswith("python") and names[1:3] == ["-m", "pytest"]:
        rest = words[3:]
    else:
        raise InputError(
            "after -- must come the pytest command that runs the tests",
            f"{' '.join(words)!r} arrived" if words else "nothing arrived",
            "Write torchref mutate -- pytest tests.",
        )
    if importlib.util.find_spec("pytest") is None:
        raise InputError(
            "torchref mutate needs pytest in its own environment",
            f"{sys.executable} finds none",
            "Install pytest beside torchref.",
        )
    return list(rest)


def command_line(arguments: Sequence[str], folder: Path) -> list[str]:
    """Python, pytest, the user's arguments, and what is added to them."""
    cache = f"cache_dir={folder / 'cache'}"
    return [sys.executable, "-m", "pytest", *arguments, "-p", PLUGIN, "-o", cache]


def environment(folder: Path) -> dict[str, str]:
    """The user's, with all that Python, pytest and Hypothesis keep sent to a folder of ours."""
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    return {
        **os.environ,
        **one_thread,  # a pool of threads does not survive a fork
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DEBUG_TEMPROOT": str(folder),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis"),
        "PYTORCH_NVML_BASED_CUDA_CHECK": "1",  # looking for CUDA does not begin to use it
    }
