import math
import sys
from itertools import pairwise

import pytest
from PIL import ImageColor

from torchref.explainer.charts.line_chart import (
    BOTTOM,
    COLOURS,
    LEFT,
    MOST_TICKS,
    TOP,
    Curves,
    line_chart,
    logarithmic_ticks,
    whole_ticks,
)
from torchref.explainer.charts.shapes import CARD_HEIGHT, CARD_WIDTH, Dot
from torchref.explainer.charts.sheet import Sheet

IN_LEGEND = 2  # dots of a name


def chart_of(curves: Curves) -> Sheet:
    return line_chart(curves, "layer", "norm")


def marks(chart: Sheet, number: int) -> list[tuple[float, float]]:
    """Where a line has its marks; the last ones are those beside its name."""
    dots = [shape for shape in chart.shapes if isinstance(shape, Dot)]
    return [(dot.x, dot.y) for dot in dots if dot.colour == COLOURS[number]][:-IN_LEGEND]


def test_equal_ratios_are_equal_heights_and_each_name_has_its_line() -> None:
    one = {1: 0.1, 2: 1.0, 3: 10.0, 4: 100.0}
    chart = chart_of({"one": one, "other": {k: 3 / v for k, v in one.items()}})
    rising, falling = marks(chart, 0), marks(chart, 1)
    assert len(rising) == len(falling) == 4
    for points, sign in ((rising, -1), (falling, 1)):
        steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(points)]
        assert steps == [pytest.approx(steps[0])] * 3
        assert steps[0][1] * sign > 20
        assert all(LEFT < x < CARD_WIDTH and TOP < y < BOTTOM for x, y in points)


def test_it_is_drawn_as_large_as_a_card_by_the_font_of_pillow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    chart = chart_of({"one": {1: 0.1, 2: 1.0}, "other": {1: 3.0, 2: 2.0}})
    image = chart.image()
    assert image.size == (CARD_WIDTH, CARD_HEIGHT)
    for number in (0, 1):
        for x, y in marks(chart, number):
            drawn = image.getpixel((round(x), round(y)))
            assert drawn == pytest.approx(ImageColor.getrgb(COLOURS[number]), abs=8)


@pytest.mark.parametrize("missing", [0.0, math.nan, math.inf, -1.0])
def test_what_has_no_logarithm_is_left_out(missing: float) -> None:
    assert len(marks(chart_of({"one": {1: 0.1, 2: missing, 3: 10.0}}), 0)) == 2
    assert not marks(chart_of({"one": {1: missing}}), 0)


@pytest.mark.parametrize("curves", [{}, {"one": {}}, {"one": {3: 0.2}}, {"one": {1: 5.0, 2: 5.0}}])
def test_there_is_a_chart_of_next_to_nothing(curves: Curves) -> None:
    assert chart_of(curves).image().size == (CARD_WIDTH, CARD_HEIGHT)


def test_names_of_any_length_are_beside_the_lines() -> None:
    curves = {"sigmoid_four_times_xavier": {1: 1.0, 30: 1e-20}, "tanh": {1: 1.0, 30: 2.0}}
    image = chart_of(curves).image()
    edge = [image.getpixel((x, y)) for x in (0, 1, CARD_WIDTH - 1) for y in range(CARD_HEIGHT)]
    assert set(edge) == {(255, 255, 255)}


@pytest.mark.parametrize("ends", [(1, 2), (0, 9), (-14, 0), (2, 30), (1, 1000), (7, 123_456)])
def test_ticks_across_are_round_and_few(ends: tuple[int, int]) -> None:
    ticks = whole_ticks(*ends)
    assert 2 <= len(ticks) <= MOST_TICKS
    assert ends[0] <= ticks[0] < ticks[-1] <= ends[1]


@pytest.mark.parametrize("ends", [(-3.2, 0.1), (-0.4, 0.3), (-290.0, 300.0), (0.31, 0.33)])
def test_ticks_upwards_say_where_they_are(ends: tuple[float, float]) -> None:
    ticks = logarithmic_ticks(*ends)
    assert 2 <= len(ticks) <= MOST_TICKS
    assert all(ends[0] <= height <= ends[1] for height in ticks)
    assert all(math.log10(float(label)) == pytest.approx(h, abs=1e-3) for h, label in ticks.items())
