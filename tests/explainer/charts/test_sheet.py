"""Shapes as SVG and as an image, and as files."""

import math
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from torchref.errors import InputError
from torchref.explainer.charts.raster import font_of_symbols, plain_font
from torchref.explainer.charts.shapes import Box, Dot, Line, Text, width_of
from torchref.explainer.charts.sheet import Sheet

SHAPES = (
    Line(((10, 10), (90, 10)), "#ff0000", 4, tip="a <line> & more"),
    Box(10, 20, 30, 20, fill="#00ff00", edge="#000000"),
    Dot(70, 30, 8, "#0000ff"),
)
SHEET = Sheet(100, 50, "three shapes", SHAPES)


def test_an_image_has_the_shapes_where_they_belong() -> None:
    for scale in (1, 3):
        image = SHEET.image(scale)
        assert image.size == (100 * scale, 50 * scale)
        colours = {(50, 10): "red", (25, 30): "lime", (70, 30): "blue", (50, 45): "white"}
        pixels = {at: image.getpixel((at[0] * scale, at[1] * scale)) for at in colours}
        names = {(255, 0, 0): "red", (0, 255, 0): "lime", (0, 0, 255): "blue"}
        assert {at: names.get(pixel, "white") for at, pixel in pixels.items()} == colours


def test_oblique_lines_are_as_thick_as_others() -> None:
    """By their ink: pixels that are full, and shares of those at the edge."""
    for slope in (0.0, 0.2, 0.5, 1.0, 1.5, 3.0):
        run = 150 / math.hypot(1, slope)
        line = Line(((20, 20), (20 + run, 20 + slope * run)), "#000000", 1.3)
        image = Sheet(200, 200, "a line", (line,)).image().convert("L")
        ink = sum(1 - value / 255 for value in image.tobytes())
        assert ink / 150 == pytest.approx(1.3, rel=0.2)


def test_an_svg_says_what_it_shows_and_escapes_it() -> None:
    root = ElementTree.fromstring(SHEET.svg())
    said = [element.text for element in root.iter("{http://www.w3.org/2000/svg}title")]
    assert said == ["three shapes", "a <line> & more"]
    assert root.get("viewBox") == "0 0 100 50"


@pytest.mark.parametrize("name", ["a.svg", "a.png", "a.PNG"])
def test_a_file_is_what_its_name_says(name: str, tmp_path: Path) -> None:
    SHEET.save(tmp_path / name)
    if name.endswith("svg"):
        assert (tmp_path / name).read_text(encoding="utf-8") == SHEET.svg() == SHEET._repr_svg_()
    else:
        with Image.open(tmp_path / name) as image:
            assert (image.format, image.size) == ("PNG", (200, 100))


@pytest.mark.parametrize("name", ["a.pdf", "a", "svg", ""])
def test_another_ending_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"must end in \.svg or \.png, but '.*' arrived"):
        SHEET.save(name)


@pytest.mark.parametrize("name", ["a.svg", "a.png"])
def test_a_folder_that_is_not_there_is_said(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file or directory"):
        SHEET.save(tmp_path / "absent" / name)


def test_without_matplotlib_an_svg_is_written_and_an_image_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    font_of_symbols.cache_clear()
    sheet = Sheet(100, 50, "a formula", (Text(50, 20, "∂E/∂w₁"),))
    assert "∂E/∂w₁" in sheet.svg()
    with pytest.raises(InputError, match=r"needs matplotlib.*torchref\[experiments\]"):
        sheet.image()
    assert Sheet(100, 50, "plain", (Text(50, 20, "dE/dw"),)).image().size == (100, 50)


@pytest.mark.parametrize("bold", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        *(
            "∂L/∂w⁽¹⁾₁₂‚₃ = -0.0012",
            "∂ŷ₁/∂z⁽³⁰⁾₁ 0.2478",
            "σ(h₁)",
            "(Σₖ w⁽²⁾₁ₖ δ⁽²⁾ₖ)",
            "⋮ 147 more",
        ),
        *("−(y − ŷ)/(ŷ(1 − ŷ))", "example 0 of 3", "w₁: 0.15 → 0.1 with α = 0.4", "MWmw", "1e-05"),
    ],
)
def test_no_text_is_wider_than_it_is_taken_for(text: str, bold: bool) -> None:
    reckoned = width_of(text, 12, bold=bold)
    assert 0.6 * reckoned < font_of_symbols(12, bold).getlength(text) <= reckoned
    if text.isascii():
        assert plain_font(12).getlength(text) <= reckoned
