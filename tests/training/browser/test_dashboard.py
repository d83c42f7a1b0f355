"""What a person sees of a run: TensorBoard's pages, as a browser draws them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import expect
from torch.utils.tensorboard.writer import SummaryWriter

from tests.training.browser.dashboard import CHROMIUM, MISSING, Dashboard, chromium
from tests.training.browser.tensorboard_server import tensorboard
from tests.training.small_task import BOTH, trained
from torchref import explain, nn
from torchref.explainer.charts.shapes import CARD_HEIGHT, CARD_WIDTH
from torchref.explainer.tensorboard import log_explanations

EPOCHS = 12
RUNS = ["small/whole/handwritten", "small/whole/torch"]
ALL = [
    f"{run}/{gradients}"
    for run in ("small/whole", "small/second", "small/faster", "planted")
    for gradients in BOTH
]
EXPLAINED = "small/whole/explained"
WEIGHTS = ["linear1.bias", "linear1.weight", "linear2.bias", "linear2.weight"]

# In CI they fail instead: there it can be installed.
pytestmark = pytest.mark.skipif(CHROMIUM is None and "CI" not in os.environ, reason=MISSING)


def planted(folder: Path) -> None:
    """Two runs, one of which lacks a tag that the other has."""
    for run, tags in {"handwritten": ["train", "held_out"], "torch": ["held_out"]}.items():
        with SummaryWriter(str(folder / run)) as writer:
            for step in range(EPOCHS + 1):
                for tag in tags:
                    writer.add_scalar(f"loss/{tag}", step, step)


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    logdir = tmp_path_factory.mktemp("runs")
    network, loss = nn.SigmoidNetwork((4, 3, 2)), nn.MSELoss()
    found = explain(network, loss, torch.rand(4), torch.rand(2))
    planted(logdir / "planted")
    trained(logdir, epochs=EPOCHS, gradients=BOTH, run_name="second", seed=1)
    trained(logdir, epochs=EPOCHS, gradients=BOTH, run_name="faster", lr=0.5)
    outcome = trained(logdir, epochs=EPOCHS, gradients=BOTH, run_name="whole")
    log_explanations(outcome.folder, {"linear1.weight": found})
    with tensorboard(logdir) as server, chromium() as page:

        def loaded() -> bool:
            ends = {server.last_step(run, "loss/held_out") for run in ALL}
            return ends == {EPOCHS} and EXPLAINED in server.ask("runs")

        server.wait_until(loaded)
        yield Dashboard(page, server.address)


@pytest.mark.parametrize("tag", ["loss/train", "loss/held_out", "gradient_norm/linear1.weight"])
def test_both_curves_are_drawn_and_lie_over_each_other(dashboard: Dashboard, tag: str) -> None:
    drawn = dashboard.show("timeseries", {tag: RUNS}, tags=tag, runs="whole")
    (handwritten,), (torchs,) = (drawn[tag][run] for run in RUNS)
    assert len(handwritten) == EPOCHS + tag.startswith("loss")
    assert [x for x, _ in handwritten] == sorted({x for x, _ in handwritten})
    assert len({y for _, y in handwritten}) > EPOCHS / 2, "a flat line shows no training"
    for mine, its in zip(handwritten, torchs, strict=True):
        assert mine == pytest.approx(its, abs=0.1)  # of a pixel


def test_the_difference_is_drawn_for_the_handwritten_run(dashboard: Dashboard) -> None:
    tag = "gradients/log10_relative_difference"
    drawn = dashboard.show("timeseries", {tag: RUNS[:1]}, tags="log10", runs="whole")
    assert {run: [len(line) for line in lines] for run, lines in drawn[tag].items()} == {
        RUNS[0]: [EPOCHS]
    }


def test_what_was_not_logged_is_not_drawn(dashboard: Dashboard) -> None:
    has, lacks = "planted/handwritten", "planted/torch"
    tags = {"loss/train": [has], "loss/held_out": [has, lacks]}
    drawn = dashboard.show("timeseries", tags, tags="^loss/", runs="planted")
    assert {tag: sorted(lines) for tag, lines in drawn.items()} == tags
    drawn = dashboard.show("custom_scalars", {"loss": [has, lacks]}, runs="planted")
    assert len(drawn["loss"][has]) == 2
    assert len(drawn["loss"][lacks]) == 1


def test_custom_charts_lay_all_lines_over_each_other(dashboard: Dashboard) -> None:
    lines = {
        "loss": [2, 2],
        "difference of the gradients, log₁₀": [1, 0],
        "gradient norms by layer": [len(WEIGHTS)] * 2,
        "update to weight ratios": [len(WEIGHTS)] * 2,
    }
    wanted = {
        title: [run for run, count in zip(RUNS, counts, strict=True) if count]
        for title, counts in lines.items()
    }
    drawn = dashboard.show("custom_scalars", wanted, runs="whole")
    assert {title: [len(drawn[title].get(run, [])) for run in RUNS] for title in drawn} == lines
    for title, runs in wanted.items():
        for line in (line for run in runs for line in drawn[title][run]):
            assert len(line) == EPOCHS + (title == "loss")


def test_histograms_have_an_outline_for_every_time(dashboard: Dashboard) -> None:
    wanted = {f"weight/{name}": RUNS for name in WEIGHTS}
    drawn = dashboard.show("histograms", wanted, tags="weight/", runs="whole")
    for title, runs in wanted.items():
        for run in runs:
            outlines = drawn[title][run]
            assert len(outlines) == EPOCHS + 1
            assert len(set(outlines)) > 1, "the weights move"


@pytest.mark.parametrize("kind", ["", "/network"])
def test_the_explanation_is_a_picture(dashboard: Dashboard, kind: str) -> None:
    title = f"explain/linear1.weight{kind}"
    drawn = dashboard.show("images", {title: [EXPLAINED]})
    assert drawn[title][EXPLAINED] == [CARD_WIDTH, CARD_HEIGHT]


@pytest.mark.parametrize("width", [1100, 1400, 1920])
def test_time_series_shows_a_card_as_it_is(dashboard: Dashboard, width: int) -> None:
    """Of a larger image it would leave pixels out."""
    page = dashboard.page
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{dashboard.address}/?tagFilter=explain%2F#timeseries")
    image = page.locator("image-card img").first
    expect(image).to_be_visible()
    shown = image.evaluate("it => [it.naturalWidth, it.naturalHeight, it.width, it.height]")
    assert shown == [CARD_WIDTH, CARD_HEIGHT, CARD_WIDTH, CARD_HEIGHT]


def test_hparams_have_a_row_for_each_setting_whatever_the_seed(dashboard: Dashboard) -> None:
    names = [
        f"{gradients}, small, parameters 65, dtype float64, autocast False, batch_size 5, lr {lr}, "
        "optimizer sgd, weight_decay None, schedule constant, clip_norm None, accumulate 1, "
        "early_stop 0"
        for lr in (0.1, 0.5)
        for gradients in ("handwritten", "torch")
    ]
    drawn = dashboard.show("hparams", {"rows": names})
    assert sorted(drawn["rows"]) == sorted(names)
    for name, cells in drawn["rows"].items():
        assert name.partition(",")[0] in cells
