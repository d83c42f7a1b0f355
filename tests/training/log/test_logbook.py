import csv
import math
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar.layout_pb2 import Layout
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from torchref.training.log.logbook import Logbook


def events(folder: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
    return accumulator.Reload()


def test_every_run_has_its_event_file_with_the_same_tags(tmp_path: Path) -> None:
    with Logbook(tmp_path, ["handwritten", "torch"], {}, {}) as logbook:
        for step in (0, 3, 4):
            logbook.log(step, "handwritten", {"loss": 2.0 * step})
            logbook.log(step, "torch", {"loss": 3.0 * step})
    for run, factor in (("handwritten", 2), ("torch", 3)):
        scalars = events(tmp_path / run).Scalars("loss")
        assert [(each.step, each.value) for each in scalars] == [
            (step, factor * step) for step in (0, 3, 4)
        ]


def test_metrics_csv_keeps_what_float32_loses(tmp_path: Path) -> None:
    values = [1e-50, 1 + 2**-52, 0.1 + 0.2, math.inf]
    with Logbook(tmp_path, ["torch"], {}, {}) as logbook:
        for step, value in enumerate(values):
            logbook.log(step, "torch", {"difference": value})
    with (tmp_path / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["value"]) for row in rows] == values
    assert [(row["step"], row["run"], row["tag"]) for row in rows] == [
        (str(step), "torch", "difference") for step in range(len(values))
    ]


def test_what_is_flushed_is_there_before_the_end(tmp_path: Path) -> None:
    with Logbook(tmp_path, ["torch"], {}, {}) as logbook:
        logbook.log(1, "torch", {"loss": 0.5})
        logbook.flush()
        assert len(events(tmp_path / "torch").Scalars("loss")) == 1
        assert "1,torch,loss,0.5" in (tmp_path / "metrics.csv").read_text()


def test_charts_name_their_tags_and_no_others(tmp_path: Path) -> None:
    """TensorBoard reads the tags of a layout as regular expressions that match a beginning."""
    with Logbook(tmp_path, ["torch"], {"norms": "grad/w(1)"}, {}) as logbook:
        logbook.log(0, "torch", {"grad/w(1)": 1.0})
    layout = Layout()
    (tensor,) = events(tmp_path / "torch").Tensors("custom_scalars__config__")
    layout.ParseFromString(tensor.tensor_proto.string_val[0])
    (chart,) = layout.category[0].chart
    assert chart.title == "norms"
    assert list(chart.multiline.tag) == [r"grad/w\(1\)"]


def test_what_was_logged_is_there_when_training_fails(tmp_path: Path) -> None:
    def fails_while_logging() -> None:
        with Logbook(tmp_path, ["torch"], {}, {}) as logbook:
            logbook.log(1, "torch", {"loss": 0.5})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails_while_logging()
    assert len(events(tmp_path / "torch").Scalars("loss")) == 1
    assert "1,torch,loss,0.5" in (tmp_path / "metrics.csv").read_text()


def test_opened_again_it_goes_on_after_the_step_of_the_checkpoint(tmp_path: Path) -> None:
    with Logbook(tmp_path, ["torch"], {}, {}) as logbook:
        for step in range(6):
            logbook.log(step, "torch", {"loss": 1.0 * step, "rare": 7.0})
    with (tmp_path / "metrics.csv").open("a") as file:
        file.write("6,torch,lo")  # a line that was cut short
    with Logbook(tmp_path, ["torch"], {}, {}, after=3) as logbook:
        logbook.log(4, "torch", {"loss": 40.0})
    rows = (tmp_path / "metrics.csv").read_text().splitlines()
    assert [row for row in rows if "loss" in row][-2:] == ["3,torch,loss,3.0", "4,torch,loss,40.0"]
    assert len(rows) == 1 + 2 * 4 + 1
    scalars = events(tmp_path / "torch").Scalars("loss")
    assert [(each.step, each.value) for each in scalars] == [
        (step, 40.0 if step == 4 else step) for step in range(5)
    ]


def test_what_cannot_be_drawn_is_named_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = {
        "good": torch.arange(4.0),
        "empty": torch.empty(0),
        "nan": torch.tensor([1.0, torch.nan]),
        "large": torch.tensor([1e30, 2e30]),
        "squared": torch.tensor([1e200, 2e200], dtype=torch.float64),  # more than a float holds
        "narrow": torch.tensor([1.0, 1.0 + 2**-52], dtype=torch.float64),
        "huge": torch.tensor([-1.7e308, 1.7e308], dtype=torch.float64),
    }
    with Logbook(tmp_path, ["torch"], {}, {}) as logbook:
        for step in range(3):
            logbook.log_histograms(step, "torch", drawn)
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["empty", "nan", "narrow", "huge"]
    assert events(tmp_path / "torch").Tags()["histograms"] == ["good", "large", "squared"]


def test_runs_that_differ_in_the_seed_only_are_one_group(tmp_path: Path) -> None:
    groups = {}
    for seed, lr in ((0, 0.1), (1, 0.1), (0, 0.2)):
        folder = tmp_path / f"{seed}_{lr}"
        folder.mkdir()
        with Logbook(folder, ["torch"], {}, {"seed": seed, "lr": lr}):
            pass
        metadata = events(folder / "torch").SummaryMetadata("_hparams_/session_start_info")
        content = HParamsPluginData.FromString(metadata.plugin_data.content)
        assert content.session_start_info.hparams["lr"].number_value == lr
        assert content.session_start_info.hparams["gradients"].string_value == "torch"
        assert "seed" not in content.session_start_info.hparams  # a group has several
        groups[seed, lr] = content.session_start_info.group_name
    assert groups[0, 0.1] == groups[1, 0.1] != groups[0, 0.2]
