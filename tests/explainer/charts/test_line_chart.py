import math
from itertools import pairwise

import pytest
from PIL import Image, ImageColor

from torchref.explainer.charts.line_chart import (
    BOTTOM,
    COLOURS,
    HEIGHT,
    LEFT,
    TOP,
    WIDTH,
    Curves,
    line_chart,
    logarithmic_ticks,
    whole_ticks,
)

NAME, END = "a name that makes room on the right", 425  # where its frame ends


def marks(chart: Image.Image, number: int) -> list[tuple[int, int]]:
    """Where a line has its marks, which unlike the line itself are three pixels wide and high."""
    colour, pixels = ImageColor.getrgb(COLOURS[number]), chart.load()
    around = [(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)]
    found: list[tuple[int, int]] = []
    for x in range(LEFT, END):
        for y in range(TOP, BOTTOM):
            solid = all(pixels[x + i, y + j] == colour for i, j in around)
            if solid and not any(abs(x - a) < 6 and abs(y - b) < 6 for a, b in found):
                found.append((x, y))
    return found


def chart_of(curves: Curves) -> Image.Image:
    return line_chart(curves, "layer", "norm")


def test_equal_ratios_are_equal_heights_and_each_name_has_its_line() -> None:
    one = {1: 0.1, 2: 1.0, 3: 10.0, 4: 100.0}
    chart = chart_of({NAME: one, "other": {k: 3 / v for k, v in one.items()}})
    assert chart.size == (WIDTH, HEIGHT)
    rising, falling = marks(chart, 0), marks(chart, 1)
    assert len(rising) == len(falling) == 4
    for points, sign in ((rising, -1), (falling, 1)):
        steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(points)]
        assert max(abs(across - steps[0][0]) for across, _ in steps) <= 2
        assert max(abs(up - steps[0][1]) for _, up in steps) <= 2
        assert steps[0][1] * sign > 50


@pytest.mark.parametrize("missing", [0.0, math.nan, math.inf, -1.0])
def test_what_has_no_logarithm_is_left_out(missing: float) -> None:
    curves = {NAME: {1: 0.1, 2: missing, 3: 10.0}}
    assert len(marks(chart_of(curves), 0)) == 2
    assert not marks(chart_of({NAME: {1: missing}}), 0)


@pytest.mark.parametrize("curves", [{}, {"one": {}}, {"one": {3: 0.2}}, {"one": {1: 5.0, 2: 5.0}}])
def test_there_is_a_chart_of_next_to_nothing(curves: Curves) -> None:
    assert chart_of(curves).size == (WIDTH, HEIGHT)


def test_names_of_any_length_are_beside_the_lines() -> None:
    chart = chart_of({"sigmoid_four_times_xavier": {1: 1.0, 30: 1e-20}, "tanh": {1: 1.0, 30: 2.0}})
    edge = [chart.getpixel((x, y)) for x in (0, 1, WIDTH - 2, WIDTH - 1) for y in range(HEIGHT)]
    assert set(edge) == {(255, 255, 255)}


@pytest.mark.parametrize("ends", [(1, 2), (0, 9), (-14, 0), (2, 30), (1, 1000), (7, 123_456)])
def test_ticks_across_are_round_and_few(ends: tuple[int, int]) -> None:
    ticks = whole_ticks(*ends)
    assert 2 <= len(ticks) <= 10
    assert ends[0] <= ticks[0] < ticks[-1] <= ends[1]


@pytest.mark.parametrize("ends", [(-3.2, 0.1), (-0.4, 0.3), (-290.0, 300.0), (0.31, 0.33)])
def test_ticks_upwards_say_where_they_are(ends: tuple[float, float]) -> None:
    ticks = logarithmic_ticks(*ends)
    assert 2 <= len(ticks) <= 10
    assert all(ends[0] <= height <= ends[1] for height in ticks)
    assert all(math.log10(float(label)) == pytest.approx(h, abs=1e-3) for h, label in ticks.items())
