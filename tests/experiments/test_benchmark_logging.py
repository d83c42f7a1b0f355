"""The benchmark of logging: what it calls bare trains as a run does, and what it stops is all."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from experiments import benchmark_logging, digits
from experiments.benchmark.logged_turn import HIDDEN, PARTS, Turn, bare, take_turn, turn
from experiments.benchmark.stopwatch import Stopwatch
from torchref.training import Settings, train


def brief(logdir: Path) -> Settings:
    return replace(digits.DEFAULTS, epochs=2, logdir=logdir, quiet=True)


def test_the_bare_steps_are_those_of_the_run(tmp_path: Path) -> None:
    settings = brief(tmp_path)
    stepped = bare(digits.task(settings.seed, HIDDEN), settings).model
    whole = train(digits.task(settings.seed, HIDDEN), settings).models["handwritten"]
    for mine, its in zip(stepped.parameters(), whole.parameters(), strict=True):
        assert torch.equal(mine, its)


def test_every_part_of_a_run_is_stopped_and_none_of_the_bare_steps(tmp_path: Path) -> None:
    checked = turn("checked", brief(tmp_path), cpu=False)
    assert checked.parts.keys() == PARTS.keys()
    assert all(seconds > 0 for seconds in checked.parts.values())
    assert sum(checked.parts.values()) < checked.seconds
    assert not any(turn("bare", brief(tmp_path), cpu=False).parts.values())


@pytest.mark.slow
def test_a_turn_is_taken_where_nothing_has_been_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digits, "task", None)  # which another process does not see
    assert take_turn("checked", brief(tmp_path), cpu=True).seconds > 0


def test_a_call_within_another_is_counted_once() -> None:
    class Work:
        def outer(self) -> None:
            self.inner()

        def inner(self) -> None:
            now.append(now[-1] + 1)

    now = [0.0]
    watch = Stopwatch(lambda: now[-1])
    with watch.on(Work, "outer", "outer"), watch.on(Work, "inner", "inner"):
        Work().outer()
        Work().inner()
        Work().inner()
    assert watch.spent == {"outer": 1, "inner": 2}


def test_a_share_is_of_the_time_that_is_left_for_training() -> None:
    shares = Turn(13.0, {"one": 1.0, "other": 1.0, "checkpoints": 1.0}).shares
    assert shares == {
        "one": 0.1,
        "other": 0.1,
        "checkpoints": 0.1,
        "all that is logged": 0.2,
    }


def test_it_writes_what_each_way_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark_logging, "take_turn", turn)  # without a process for each
    benchmark_logging.main(rounds=2, epochs=1, cpu=True, out=tmp_path)
    found = json.loads((tmp_path / "benchmark_logging.json").read_text())
    assert [each["way"] for each in found["ways"]] == ["bare", "unlogged", "logged", "checked"]
    assert found["ways"][0]["ratio"] == 1
    assert len(found["within checked"]) == 2
    printed = capsys.readouterr().out
    assert "more than bare" in printed
    assert "all that is logged" in printed
    assert "The run is in" not in printed
