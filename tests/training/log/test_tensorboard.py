"""The real TensorBoard, under both of its loaders, on a run that was interrupted and resumed."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.training.browser.tensorboard_server import tensorboard
from tests.training.small_task import BOTH, trained
from torchref.training.loop.first_process import Keeper
from torchref.training.process.stopping import Interrupted

Ask = Callable[..., Any]
RUNS = ("small/part/handwritten", "small/part/torch")
EPOCHS = 12


def resumed_run(logdir: Path) -> None:
    """Six epochs are logged, the state after the third is taken up again."""
    record = Keeper.record

    def cut_off(keeper: Keeper, epoch: int) -> None:
        record(keeper, epoch)
        if epoch == 6:
            raise Interrupted(15, "cut off, without saving")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Keeper, "record", cut_off)
        with pytest.raises(Interrupted):
            trained(logdir, epochs=EPOCHS, gradients=BOTH, run_name="part", save_every=3)
    trained(logdir, epochs=EPOCHS, gradients=BOTH, resume="part", save_every=3)


@pytest.fixture(scope="module", params=["true", "false"], ids=["fast", "slow"])
def ask(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Asks a server, until it has loaded the runs."""
    logdir = tmp_path_factory.mktemp("runs")
    resumed_run(logdir)
    with tensorboard(logdir, request.param) as server:
        server.wait_until(lambda: server.last_step(RUNS[1], "loss/train") == EPOCHS)
        yield server.ask


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("tag", ["loss/train", "loss/held_out", "gradient_norm/linear1.weight"])
def test_a_resumed_curve_has_no_gap_and_no_step_twice(ask: Ask, run: str, tag: str) -> None:
    steps = [step for _, step, _ in ask("plugin/scalars/scalars", run=run, tag=tag)]
    assert steps == list(range(0 if tag.startswith("loss") else 1, EPOCHS + 1))


def test_the_difference_is_the_handwritten_runs(ask: Ask) -> None:
    tags = ask("plugin/scalars/tags")
    assert "gradients/relative_difference" in tags[RUNS[0]]
    assert "gradients/relative_difference" not in tags[RUNS[1]]


def test_charts_lay_both_over_each_other(ask: Ask) -> None:
    layout = ask("plugin/custom_scalars/layout")
    (category,) = layout["category"]
    tags = {}
    for chart in category["chart"]:
        (pattern,) = chart["multiline"]["tag"]
        found = [ask("plugin/custom_scalars/scalars", run=run, tag=pattern) for run in RUNS]
        tags[chart["title"]] = [set(each["tag_to_events"]) for each in found]
    weights = ["linear1.bias", "linear1.weight", "linear2.bias", "linear2.weight"]
    assert tags == {
        "loss": [{"loss/train", "loss/held_out"}] * 2,
        "difference of the gradients, log₁₀": [{"gradients/log10_relative_difference"}, set()],
        "gradient norms by layer": [{f"gradient_norm/{name}" for name in weights}] * 2,
        "update to weight ratios": [{f"update_ratio/{name}" for name in weights}] * 2,
    }


def test_histograms_and_settings_are_there(ask: Ask) -> None:
    for run in RUNS:
        assert {"weight/linear1.weight", "gradient/linear2.bias"} <= set(
            ask("plugin/histograms/tags")[run]
        )
        (text,) = ask("plugin/text/text", run=run, tag="settings/text_summary")
        assert "<table>" in text["text"]
        assert run.rpartition("/")[2] in text["text"]


def test_hparams_compare_the_runs(ask: Ask) -> None:
    experiment = ask("plugin/hparams/experiment", request=json.dumps({"experimentName": ""}))
    compared = {each["name"] for each in experiment["hparamInfos"]}
    assert compared >= {"task", "gradients", "parameters", "lr", "optimizer", "batch_size", "dtype"}
    assert not compared & {"seed", "log_every", "check_every", "threads", "deterministic"}
