"""The real TensorBoard, under both of its loaders, on a run that was interrupted and resumed."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

import pytest

from tests.training.small_task import BOTH, trained
from torchref.training.loop import Loop
from torchref.training.stopping import Interrupted

Ask = Callable[..., Any]
RUNS = ("small/part/handwritten", "small/part/torch")
EPOCHS = 12


def resumed_run(logdir: Path) -> None:
    """Six epochs are logged, the state after the third is taken up again."""
    record = Loop.record

    def cut_off(loop: Loop) -> None:
        record(loop)
        if loop.progress.epoch == 6:
            raise Interrupted(15, "cut off, without saving")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Loop, "record", cut_off)
        with pytest.raises(Interrupted):
            trained(logdir, epochs=EPOCHS, gradients=BOTH, run_name="part", save_every=3)
    trained(logdir, epochs=EPOCHS, gradients=BOTH, resume="part", save_every=3)


@pytest.fixture(scope="module", params=["true", "false"], ids=["fast", "slow"])
def ask(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Asks a server, until it has loaded the runs."""
    logdir = tmp_path_factory.mktemp("runs")
    resumed_run(logdir)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    line = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir)]
    line += ["--host", "127.0.0.1", "--port", str(port), f"--load_fast={request.param}"]
    server = subprocess.Popen(line, stderr=subprocess.PIPE)

    def answer(path: str, **query: str) -> Any:
        url = f"http://127.0.0.1:{port}/data/{path}?{urlencode(query, quote_via=quote)}"
        with urlopen(Request(url), timeout=30) as response:
            return json.loads(response.read())

    def loaded() -> bool:
        try:
            points = answer("plugin/scalars/scalars", run=RUNS[1], tag="loss/train")
        except (URLError, ConnectionError):
            return False
        return [step for _, step, _ in points[-1:]] == [EPOCHS]

    try:
        for _ in range(600):
            if loaded():
                break
            assert server.poll() is None, server.stderr.read()
            time.sleep(0.1)
        yield answer
    finally:
        server.terminate()
        server.communicate()


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
    charts = {chart["title"]: chart["multiline"]["tag"] for chart in layout["category"][0]["chart"]}
    assert set(charts) >= {"loss", "difference of the gradients", "gradient norms by layer"}
    for run in RUNS:
        found = ask("plugin/custom_scalars/scalars", run=run, tag=charts["loss"][0])
        assert found["regex_valid"]
        assert list(found["tag_to_events"]) == ["loss/train"]


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
    assert {"lr", "optimizer", "gradients", "batch_size"} <= {
        each["name"] for each in experiment["hparamInfos"]
    }
