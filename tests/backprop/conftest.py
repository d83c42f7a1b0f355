"""Layers that a test declares are forgotten after it."""

from collections.abc import Iterator

import pytest

from torchref.backprop.correspondence import LAYERS


@pytest.fixture(autouse=True)
def _layers_as_they_were() -> Iterator[None]:
    before = dict(LAYERS)
    yield
    LAYERS.clear()
    LAYERS.update(before)
