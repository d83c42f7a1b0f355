"""A drawing is legible: its text is text, nothing lies over anything else, all is on the sheet."""

from collections.abc import Callable
from itertools import combinations
from xml.etree import ElementTree

import pytest
import torch
from hypothesis import given, settings
from PIL import ImageColor

from tests.explainer.chain.random_networks import Problem, problems
from torchref import InputError, explain, nn
from torchref.explainer import Explanation
from torchref.explainer.charts.shapes import (
    CARD_HEIGHT,
    CARD_WIDTH,
    ORANGE,
    Box,
    Line,
    Text,
    width_of,
)
from torchref.explainer.charts.sheet import Sheet
from torchref.explainer.diagram.drawing import drawing_of
from torchref.explainer.diagram.style import CARD, PAGE, Style
from torchref.explainer.lectures import LECTURES

SVG = "{http://www.w3.org/2000/svg}"
CHAIN = LECTURES["two-neuron-chain"]


def deep() -> Explanation:
    torch.manual_seed(0)
    network, x, target = nn.SigmoidNetwork((3, *(4,) * 29, 2)), torch.rand(3), torch.rand(2)
    return explain(network, nn.SquaredError("sum"), x, target, "linear15.bias", 2)


def wide() -> Explanation:
    torch.manual_seed(0)
    network, x, target = nn.SigmoidNetwork((200, 300, 100)), torch.rand(3, 200), torch.rand(3, 100)
    return explain(network, nn.SquaredError("sum"), x, target, "linear1.weight", (150, 77))


EXPLAINED = {name: lecture.explain for name, lecture in LECTURES.items()}
EXPLAINED |= {"deep": deep, "wide": wide}


def texts(sheet: Sheet) -> list[str]:
    root = ElementTree.fromstring(sheet.svg())
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def faults(sheet: Sheet) -> list[str]:
    """What lies over something else, or beyond the edge."""
    boxes = [s for s in sheet.shapes if isinstance(s, Box)]
    found = [f"{a} over {b}" for a, b in combinations(boxes, 2) if a.overlaps(b, -0.01)]
    for text in (shape for shape in sheet.shapes if isinstance(shape, Text)):
        wide = width_of(text.text, text.size, bold=text.bold)
        left = text.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[text.anchor] * wide
        if left < 0 or left + wide > sheet.width or not 0 < text.y < sheet.height:
            found.append(f"{text} is beyond the edge")
    return found


@pytest.mark.parametrize("style", [PAGE, CARD], ids=["page", "card"])
@pytest.mark.parametrize("found", EXPLAINED.values(), ids=EXPLAINED)
def test_nothing_lies_over_anything_else(found: Callable[[], Explanation], style: Style) -> None:
    assert not faults(drawing_of(found(), None, style))


def test_what_lies_over_something_else_is_found() -> None:
    sheet = drawing_of(CHAIN.explain(), None, PAGE)
    moved = Sheet(sheet.width / 2, sheet.height, "", (*sheet.shapes, Box(0, 0, 400, 400)))
    assert len(faults(moved)) > 3


@settings(max_examples=20, deadline=None)
@given(problems())
def test_any_network_is_drawn(problem: Problem) -> None:
    found = explain(
        problem.network, problem.loss, problem.x, problem.target, problem.parameter, problem.entry
    )
    for style in (PAGE, CARD):
        sheet = drawing_of(found, None, style)
        assert found.gradient in " ".join(texts(sheet))
        boxes = [s for s in sheet.shapes if isinstance(s, Box) and s.kind != "label"]
        assert not any(a.overlaps(b, -0.01) for a, b in combinations(boxes, 2))


def test_values_gradients_and_the_path_of_the_worked_example_are_text() -> None:
    """The numbers of lecture 003."""
    said = texts(CHAIN.explain().drawing())
    shown = (
        "∂E/∂w₁ = 0.0010214|x 0.1|w₁ 0.15|∂ 0.001021|z₁ 0.415|a₁ 0.6023|∂a₁/∂z₁ 0.2395|δ₁ 0.01021|"
        "w₂ 0.45|∂ 0.05707|z₂ 0.921|a₂ 0.7153|∂a₂/∂z₂ 0.2037|∂E/∂a₂ 0.4653|E 0.1082|T 0.25"
    )
    assert {*shown.split("|")} <= {*said}
    assert "w₁ 0.16" not in said


def test_the_path_is_marked_in_the_svg_and_orange_in_the_image() -> None:
    sheet = CHAIN.explain("linear2.weight").drawing()
    root = ElementTree.fromstring(sheet.svg())
    lines = root.findall(f"{SVG}polyline")
    tips = {line.findtext(f"{SVG}title"): line.get("class") for line in lines}
    assert tips == {
        "w₁ = 0.15, ∂E/∂w₁ = 0.0010214": "weight",
        "b₁ = 0.4, ∂E/∂b₁ = 0.010214": "weight",
        "w₂ = 0.45, ∂E/∂w₂ = 0.0570704": "path",
        "b₂ = 0.65, ∂E/∂b₂ = 0.0947563": "weight",
        "∂E/∂a₂ = 0.465252": "path",
    }
    image = sheet.image(2)
    orange = ImageColor.getrgb(ORANGE)
    for line in (s for s in sheet.shapes if isinstance(s, Line)):
        (x, y), (x_1, y_1) = line.points
        at = (round(2 * (0.95 * x + 0.05 * x_1)), round(2 * (0.95 * y + 0.05 * y_1)))
        assert (image.getpixel(at) == orange) == (line.kind == "path")


def test_one_of_several_paths() -> None:
    found = LECTURES["cost-surface"].explain()
    both, first = found.drawing(), found.drawing(0)
    marked = [sheet.svg().count('class="path"') for sheet in (both, first)]
    assert marked == [5, 3]
    with pytest.raises(InputError, match=r"lie in 0 … 1, but 2 arrived"):
        found.drawing(2)


def test_without_a_path_every_number_is_there_and_nothing_is_marked() -> None:
    found = CHAIN.explain()
    bare, marked = found.drawing(highlight=False), found.drawing()
    assert {*texts(marked)} - {*texts(bare)} == {"∂E/∂w₁ = 0.0010214", "path of ∂E/∂w₁"}
    assert {*texts(bare)} - {*texts(marked)} == {"Every derivative of E"}
    assert 'path"' not in bare.svg()
    assert ORANGE not in bare.svg()


@pytest.mark.parametrize(
    "name", ["log-loss-network", "three-layers", "cost-surface", "two-neuron-chain", "matrix-form"]
)
def test_all_weights_of_a_lecture_have_their_numbers(name: str) -> None:
    sheet = LECTURES[name].explain().drawing()
    lines = [shape for shape in sheet.shapes if isinstance(shape, Line)]
    labels = [shape for shape in sheet.shapes if isinstance(shape, Box) and shape.kind == "label"]
    assert len(labels) == len(lines)


@pytest.mark.parametrize("name", LECTURES)
def test_a_page_leaves_the_letters_legible(name: str) -> None:
    """Where the window is 1280 pixels wide, a page has this room and shrinks what is wider."""
    room, least = 748, 8.5
    assert PAGE.size * min(1.0, room / LECTURES[name].explain().drawing().width) >= least


def test_what_is_left_out_is_counted() -> None:
    assert {"⋯", "13 more", "14 more", "levels"} <= {*texts(deep().drawing())}
    assert {"⋮ 74 more", "⋮ 121 more", "⋮ 147 more", "95 more"} <= {*texts(wide().drawing())}


def test_with_several_examples_it_is_said_which_one_the_neurons_are_of() -> None:
    assert "example 0 of 3" in texts(wide().drawing())
    assert not any("example" in text for text in texts(CHAIN.explain().drawing()))


def test_a_card_is_as_large_as_tensorboard_shows_it() -> None:
    assert drawing_of(CHAIN.explain(), None, CARD).image().size == (CARD_WIDTH, CARD_HEIGHT)
