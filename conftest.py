"""Every test gets one thread and 100 columns; slow ones are left out of a run of all tests.

Slow are further seeds, what starts further processes, and what is marked so: CI runs them too.
"""

import os
import signal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch

pytest_plugins = ["pytester"]  # runs pytest in a test of tests/testing

OF_PACKAGES = ("lightning", "transformers")  # whose modules import them
collect_ignore_glob = [  # of a checkout, and of what is installed below this file
    f"*torchref/training/integrations/{name}.py" for name in OF_PACKAGES if find_spec(name) is None
]

LONG_FOLDERS = {"experiments", "browser", "kernels"}
STARTS_PROCESSES = ("test_processes", "test_recipes", "test_full_disk", "test_survival")


def takes_long(path: Path) -> bool:
    return bool(LONG_FOLDERS & set(path.parts)) or path.name.startswith(STARTS_PROCESSES)


def is_slow(item: pytest.Item) -> bool:
    return item.get_closest_marker("slow") is not None


def mark_slow(items: list[pytest.Item]) -> None:
    """Seeds after the first of a test, and what starts processes after the first of a file."""
    seeds: dict[str, Any] = {}
    started: dict[Path, pytest.Item] = {}
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        seed = parameters.get("seed")
        is_further = seed != seeds.setdefault(item.nodeid.partition("[")[0], seed)
        if item.path.name.startswith(STARTS_PROCESSES) and not is_slow(item):
            is_further |= started.setdefault(item.path, item) is not item
        if is_further:
            item.add_marker(pytest.mark.slow)


def leaves_out_slow(config: pytest.Config) -> bool:
    """Where all is to be tested, and no folder, file, keyword or marker is named."""
    named = config.option.keyword or config.option.markexpr
    whole = {config.rootpath, *(config.rootpath / path for path in config.getini("testpaths"))}
    return not named and all(Path(each).resolve() in whole for each in config.args)


def pytest_configure(config: pytest.Config) -> None:
    torch.set_num_threads(1)  # exact repetition, and the tensors here are small
    os.environ["OMP_NUM_THREADS"] = "1"  # for the processes that tests start too
    os.environ["COLUMNS"] = "100"  # a worker beside others has 80
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as a shell starts what it does not
        signal.signal(signal.SIGINT, signal.default_int_handler)  # wait for, and its children
    if config.getoption("dist", None) == "load":
        config.option.dist = "worksteal"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    mark_slow(items)
    of_files = {item.path: item for item in reversed(items) if not is_slow(item)}  # the first
    for path, first in of_files.items():
        if not takes_long(path):
            first.add_marker(pytest.mark.quick)
    if leaves_out_slow(config):
        config.hook.pytest_deselected(items=[item for item in items if is_slow(item)])
        items[:] = [item for item in items if not is_slow(item)]
    items.sort(key=lambda item: not takes_long(item.path))  # no worker begins with one last
    if torch.cuda.is_available():
        return
    absent = pytest.mark.skip(reason="no CUDA device")
    for item in items:
        if item.get_closest_marker("cuda"):
            item.add_marker(absent)


@pytest.fixture(autouse=True)
def _torch_in_doctests(doctest_namespace: dict[str, Any]) -> None:
    doctest_namespace["torch"] = torch
