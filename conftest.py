"""Every test gets one thread and 100 columns; without CUDA, what needs it is skipped."""

from typing import Any

import pytest
import torch

SLOW = {"experiments", "browser", "kernels"}
STARTS_PROCESSES = ("test_processes", "test_recipes", "test_full_disk", "test_survival")


def pytest_configure() -> None:
    torch.set_num_threads(1)  # exact repetition, and the tensors here are small


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
def _width_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")  # a test process beside others has 80


@pytest.fixture(autouse=True)
def _torch_in_doctests(doctest_namespace: dict[str, Any]) -> None:
    doctest_namespace["torch"] = torch
