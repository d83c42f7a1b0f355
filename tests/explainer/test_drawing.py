import sys

import pytest

from torchref.errors import InputError
from torchref.explainer.drawing import line_chart, new_figure


def test_a_chart_has_a_line_for_each_name() -> None:
    curves = {"one": {1: 0.1, 3: 0.001}, "other": {1: 2.0, 2: 20.0, 4: 200.0}}
    (axes,) = line_chart(curves, "layer", "norm").axes
    drawn = {line.get_label(): line.get_xydata().tolist() for line in axes.lines}
    assert drawn == {name: [[x, y] for x, y in curve.items()] for name, curve in curves.items()}
    assert axes.get_yscale() == "log"
    assert all(tick.is_integer() for tick in axes.get_xticks())
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("layer", "norm")


def test_without_matplotlib_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(InputError, match=r"needs matplotlib.*torchref\[experiments\]"):
        new_figure(1, 1)
