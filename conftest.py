"""Every test gets one thread and 100 columns; without CUDA, what needs it is skipped."""

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

SLOW = {"experiments", "browser", "kernels"}
STARTS_PROCESSES = ("test_processes", "test_recipes", "test_full_disk", "test_survival")


def takes_long(path: Path) -> bool:
    return bool(SLOW & set(path.parts)) or path.name.startswith(STARTS_PROCESSES)


def pytest_configure(config: pytest.Config) -> None:
    torch.set_num_threads(1)  # exact repetition, and the tensors here are small
    os.environ["OMP_NUM_THREADS"] = "1"  # for the processes that tests start too
    os.environ["COLUMNS"] = "100"  # a worker beside others has 80
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as a shell starts what it does not
        signal.signal(signal.SIGINT, signal.default_int_handler)  # wait for, and its children
    if config.getoption("dist", None) == "load":
        config.option.dist = "worksteal"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    of_files = {item.path: item for item in reversed(items)}  # the first of each
    for path, first in of_files.items():
        if not takes_long(path):
            first.add_marker(pytest.mark.quick)
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
