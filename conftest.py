"""Every test gets one thread and 100 columns; without CUDA, what needs it is skipped."""

from typing import Any

import pytest
import torch


def pytest_configure() -> None:
    torch.set_num_threads(1)  # exact repetition, and the tensors here are small


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
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
