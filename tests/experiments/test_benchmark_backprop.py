"""The benchmark of a training step, on its smallest networks, and how it takes its times."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import typer
from matplotlib.figure import Figure
from typer.testing import CliRunner

from experiments import benchmark_backprop
from experiments.benchmark.peak_memory import peak_bytes
from experiments.benchmark.training_step import DEPTHS, WAYS, Setting, network_of, step_of
from experiments.benchmark.turns import Timing, take_turns, timing_of


def call(*arguments: str | Path) -> tuple[int, str]:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(benchmark_backprop.main)
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    return result.exit_code, result.output


def test_it_writes_times_and_ratios_of_every_way(tmp_path: Path) -> None:
    line = ("--threads", "1", "--rounds", "2", "--no-compiled", "--only", "2-2-1", "--out")
    status, output = call(*line, tmp_path / "new" / "folder")
    assert status == 0, output
    results = json.loads((tmp_path / "new" / "folder" / "times.json").read_text())["results"]
    assert [each["network"]["batch"] for each in results] == [1, 32]
    for each in results:
        ways = {timing["way"]: timing for timing in each["timings"]}
        assert list(ways) == ["sweep", "functions", "torch"]
        assert ways["torch"]["ratio"] == 1
        assert all(timing["seconds"] > 0 for timing in ways.values())
    assert (tmp_path / "new" / "folder" / "times.png").stat().st_size > 10_000


def test_the_picture_has_a_tick_for_each_depth_and_a_name_for_each_way_that_was_timed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    figures: list[Figure] = []
    monkeypatch.setattr(Figure, "savefig", lambda self, *_, **__: figures.append(self))
    timed = [Timing(way, 1e-5, 1.0, 0.9, 1.1) for way in ("sweep", "torch")]
    benchmark_backprop.plot(dict.fromkeys(DEPTHS, timed), tmp_path / "times.png")
    (figure,) = figures
    figure.draw_without_rendering()
    by_depth = figure.axes[0]
    ticks = [tick.get_text() for tick in by_depth.get_xticklabels(which="both")]
    assert ticks == [str(len(setting.sizes) - 1) for setting in DEPTHS]
    assert [each.get_text() for each in by_depth.get_legend().get_texts()] == ["sweep", "torch"]


@pytest.mark.parametrize("line", ["--only nothing", "--rounds 1", "--threads 0"])
def test_what_it_cannot_do_it_says(tmp_path: Path, line: str) -> None:
    status, output = call(*line.split(), "--out", tmp_path)
    assert status == 2
    assert line.split()[0] in output


def test_a_folder_that_cannot_be_made_is_said_before_it_measures(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    status, output = call("--out", tmp_path / "file" / "below")
    assert status == 2
    assert "cannot be made" in " ".join(output.replace("│", " ").split())  # whatever the width


@pytest.mark.parametrize("way", [way for way in WAYS if way != "compiled"])
def test_memory_holds_at_least_the_parameters_and_their_gradients(way: str) -> None:
    setting = Setting((64, 48, 32), "MSELoss", 16)
    parameters = 4 * (64 * 48 + 48 + 48 * 32 + 32)
    least = 2 * parameters + 4 * 16 * (64 + 32)
    assert least <= peak_bytes(lambda: step_of(way, setting)) < 3 * least


@pytest.mark.parametrize("loss", ["BCELoss", "MSELoss"])
def test_every_way_leaves_the_same_gradients(monkeypatch: pytest.MonkeyPatch, loss: str) -> None:
    networks: list[torch.nn.Module] = []

    def noted(setting: Setting, nn: Any) -> torch.nn.Module:
        networks.append(network_of(setting, nn))
        return networks[-1]

    monkeypatch.setattr("experiments.benchmark.training_step.network_of", noted)
    for way in ("sweep", "functions", "torch"):
        step_of(way, Setting((4, 3, 2), loss, 8))()
    sweep, functions, torchs = ([p.grad for p in each.parameters()] for each in networks)
    torch.testing.assert_close(sweep, torchs)
    torch.testing.assert_close(functions, torchs)


def test_every_way_gets_its_turns_in_another_order_each_round() -> None:
    calls: list[str] = []
    runs = {name: lambda name=name: calls.append(name) for name in "abc"}
    timings = take_turns(runs, "b", rounds=3, least=0)
    assert "".join(calls[-9:]) == "abcbcacab"
    assert [timing.way for timing in timings] == ["a", "b", "c"]


def test_a_ratio_is_of_anothers_time_to_its_own_within_a_round() -> None:
    timing = timing_of("mine", [1.0, 2.0, 40.0], [3.0, 6.0, 80.0])
    assert (timing.seconds, timing.ratio) == (2.0, 3.0)
    assert timing.ratio_low < 3 <= timing.ratio_high
