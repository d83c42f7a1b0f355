"""A chart of curves, and what is said where matplotlib is missing."""

import sys

import pytest

from torchref.errors import InputError
from torchref.explainer.charts.drawing import new_figure, rasterized


def test_a_figure_becomes_an_image_of_its_size() -> None:
    figure = new_figure(3, 2)
    figure.set_facecolor("red")
    image = rasterized(figure)
    assert (image.size, image.mode) == ((300, 200), "RGB")
    assert image.getpixel((150, 100)) == (255, 0, 0)


def test_without_matplotlib_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(InputError, match=r"needs matplotlib.*torchref\[experiments\]"):
        new_figure(1, 1)
