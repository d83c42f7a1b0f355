"""A card says the factors and what comes of them, and nothing of it is cut off by its edge."""

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch

from torchref import explain, nn
from torchref.explainer import Explanation
from torchref.explainer.charts.shapes import CARD_HEIGHT, CARD_WIDTH, Text, width_of
from torchref.explainer.charts.sheet import Sheet
from torchref.explainer.document.card import MOST_ROWS, cards_of, factor_card
from torchref.explainer.lectures import LECTURES


def of_batch() -> Explanation:
    torch.manual_seed(0)
    network, x = nn.SigmoidNetwork((3, 12, 3, 2)).double(), torch.rand(3, 3)
    return explain(network, nn.BCELoss(), x, torch.rand(3, 2), "linear1.weight", (10, 2))


def of_long_chain() -> Explanation:
    network = nn.SigmoidNetwork((1,) * 9).double()
    return explain(network, nn.SquaredError(), torch.rand(1), torch.rand(1))


def texts(sheet: Sheet) -> list[Text]:
    return [shape for shape in sheet.shapes if isinstance(shape, Text)]


FIVE = ("log-loss-network", "three-layers", "cost-surface", "two-neuron-chain", "matrix-form")
ALL = {name: LECTURES[name].explain for name in FIVE}


@pytest.mark.parametrize("name", ALL)
def test_every_factor_is_there_with_its_formula_and_its_value(name: str) -> None:
    found = ALL[name]()
    said = {text.text for text in texts(factor_card(found))}
    for factor in found.factors:
        assert {factor.symbol, factor.formula, f"{factor.value:.6g}"} <= said
    assert "The verdict: right" in said
    assert {"stored" if factor.is_stored else "new" for factor in found.factors} <= said


@pytest.mark.parametrize("explained", [*ALL.values(), of_batch, of_long_chain])
def test_nothing_is_beyond_the_edge_or_over_another_line(
    explained: Callable[[], Explanation],
) -> None:
    lines = texts(factor_card(explained()))
    for text in lines:
        assert text.x + width_of(text.text, text.size, bold=text.bold) <= CARD_WIDTH
        assert text.y < CARD_HEIGHT
    heights = sorted({text.y for text in lines})
    assert all(b - a > 11 for a, b in pairwise(heights))


def test_of_many_factors_the_middle_is_counted() -> None:
    found = of_long_chain()
    card = texts(factor_card(found))
    assert len({text.y for text in card if text.y < 150}) == MOST_ROWS + 1  # and the title
    assert f"{len(found.factors) - MOST_ROWS + 1} more" in {text.text for text in card}


def test_the_product_of_one_example_stands_beside_the_gradient_of_all() -> None:
    found = of_batch()
    said = " ".join(text.text for text in texts(factor_card(found)))
    assert f"Product of example 0, of 3: {found.contributions[0]:.6g}" in said
    assert f"{found.gradient} = {found.evidence.product:.6g}" in said


def test_both_cards_are_as_large_as_tensorboard_shows_them() -> None:
    cards = cards_of(ALL["two-neuron-chain"]())
    assert {kind: card.size for kind, card in cards.items()} == {
        "": (CARD_WIDTH, CARD_HEIGHT),
        "/network": (CARD_WIDTH, CARD_HEIGHT),
    }
