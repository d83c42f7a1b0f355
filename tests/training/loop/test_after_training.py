import io
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import torchref.nn as nn
from tests.training.small_task import settings, task
from torchref.explainer.charts.raster import font_of_symbols
from torchref.explainer.charts.shapes import CARD_HEIGHT, CARD_WIDTH
from torchref.training import Gradients, Outcome, train
from torchref.training.loop.after_training import explanations

NAMES = ["linear1.weight", "linear2.weight"]


def drawn() -> nn.Module:
    """Small enough for a picture of its explanation."""
    return nn.SigmoidNetwork((4, 3, 2))


def events(outcome: Outcome, run: str) -> EventAccumulator:
    return EventAccumulator(str(outcome.folder / run), size_guidance={"tensors": 0}).Reload()


@pytest.mark.parametrize("gradients", Gradients)
def test_a_layered_network_is_explained_as_it_was_trained(
    tmp_path: Path, gradients: Gradients
) -> None:
    outcome = train(task(drawn()), settings(tmp_path, gradients=[gradients]))
    logged = events(outcome, gradients)
    trained = dict(outcome.models[gradients].named_parameters())
    for name in NAMES:
        ((text),) = logged.Tensors(f"explain/{name}/text_summary")
        assert text.step == 6
        markdown = text.tensor_proto.string_val[0].decode()
        assert "The verdict: right" in markdown
        assert f"{trained[name].flatten()[0].item():.6g}" in markdown  # the weight's value
    cards = {"explain/linear1.weight", "explain/linear1.weight/network"}
    assert set(logged.Tags()["images"]) == {*cards, "gradient_norm_by_layer"}
    for tag in logged.Tags()["images"]:
        (image,) = logged.Images(tag)
        assert (image.width, image.height) == (CARD_WIDTH, CARD_HEIGHT)


def test_of_a_large_network_the_texts_and_the_chart_are_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # its import takes longer than all else
    outcome = train(task(), settings(tmp_path))
    logged = events(outcome, "handwritten")
    assert {f"explain/{name}/text_summary" for name in NAMES} <= set(logged.Tags()["tensors"])
    assert logged.Tags()["images"] == ["gradient_norm_by_layer"]
    (chart,) = logged.Images("gradient_norm_by_layer")
    assert Image.open(io.BytesIO(chart.encoded_image_string)).size == (chart.width, chart.height)


def test_the_explanation_is_of_the_trained_weights() -> None:
    own = task(drawn())
    trained = drawn().double()
    found = explanations(own, trained, own.examples.first(1))
    assert list(found) == NAMES
    before = trained.get_parameter("linear2.weight")[0, 0].item()
    assert found["linear2.weight"].before == before
    assert found["linear2.weight"].verdict == "right"


def test_what_is_not_layered_is_not_explained_and_trains_on(tmp_path: Path) -> None:
    class Skipping(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(4, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.linear(x) + x[:, :2]

    outcome = train(task(Skipping()), settings(tmp_path))
    assert outcome.ended_by == "epochs"
    tags = events(outcome, "handwritten").Tags()
    assert not [tag for tag in tags["tensors"] if tag.startswith("explain")]
    assert tags["images"] == []


def test_without_matplotlib_it_is_said_once_and_the_texts_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    font_of_symbols.cache_clear()
    outcome = train(task(drawn()), settings(tmp_path))
    assert outcome.ended_by == "epochs"
    printed = capsys.readouterr().out
    assert printed.count("text only in TensorBoard. A picture needs matplotlib") == 1
    assert "torchref[experiments]" in printed
    tags = events(outcome, "handwritten").Tags()
    assert f"explain/{NAMES[0]}/text_summary" in tags["tensors"]
    assert tags["images"] == ["gradient_norm_by_layer"]
