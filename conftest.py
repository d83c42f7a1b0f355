"""Every test gets one thread and 100 columns; without CUDA, what needs it is skipped."""

import os
from typing import Any

import pytest
import torch

pytest_plugins = ["pytester"]  # runs pytest in a test of tests/testing

SLOW = {"experiments", "browser", "kernels"}
STARTS_PROCESSES = ("test_processes", "test_recipes", "test_full_disk", "test_survival")


def pytest_configure() -> None:
    torch.set_num_threads(1)  # exact repetition, and the tensors here are small
    os.environ["COLUMNS"] = "100"  # a worker beside others has 80


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    of_files = {item.path: item for item in reversed(items)}  # the first of each
    for path, first in of_files.items():
        if not SLOW & set(path.parts) and not path.name.startswith(STARTS_PROCESSES):
            first.add_marker(pytest.mark.quick)
    if torch.cuda.is_available():
        return
    absent = pytest.mark.skip(reason="no CUDA device")
    for item in items:
        if item.get_closest_marker("cuda"):
            item.add_marker(absent)


@pytest.fixture(autouse=True)
def _torch_in_doctests(doctest_namespace: dict[str, Any]) -> None:
    doctest_namespace["torch"] = torch
