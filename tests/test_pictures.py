"""The pictures of the documentation are there, and those that are text are as they would be drawn.

`python -m screenshots.drawn` remakes them.
"""

import pytest
from PIL import Image

from screenshots.drawn import FIGURES, NETWORKS, PICTURES, network
from torchref.explainer.charts.shapes import CARD_HEIGHT, CARD_WIDTH


@pytest.mark.parametrize("name", NETWORKS)
def test_the_network_of_a_lecture_is_as_it_would_be_drawn(name: str) -> None:
    drawn = (PICTURES / f"{name}.svg").read_text(encoding="utf-8")
    assert drawn == network(name).svg(), "python -m screenshots.drawn remakes it"


@pytest.mark.parametrize("name", [name for each in FIGURES.values() for name in each.values()])
def test_the_figure_of_an_experiment_has_the_form_of_a_card(name: str) -> None:
    with Image.open(PICTURES / f"{name}.png") as image:
        assert image.width >= 2 * CARD_WIDTH
        assert image.width / image.height == pytest.approx(CARD_WIDTH / CARD_HEIGHT, rel=0.01)
