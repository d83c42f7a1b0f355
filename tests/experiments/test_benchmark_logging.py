"""The benchmark of logging: what it calls bare trains as a run does."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from experiments import benchmark_logging, digits
from experiments.benchmark_logging import HIDDEN, bare
from torchref.training import train
from torchref.training.contender import Contender


def test_the_bare_steps_are_those_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(digits.DEFAULTS, epochs=2, logdir=tmp_path, quiet=True)
    contenders: list[Contender] = []

    def noted(*arguments: object) -> Contender:
        contenders.append(Contender(*arguments))
        return contenders[-1]

    monkeypatch.setattr(benchmark_logging, "Contender", noted)
    bare(settings)
    whole = train(digits.task(settings.seed, HIDDEN), settings).models["handwritten"]
    for mine, its in zip(contenders[0].model.parameters(), whole.parameters(), strict=True):
        assert torch.equal(mine, its)


def test_it_writes_what_each_way_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    benchmark_logging.main(rounds=2, epochs=1, cpu=True, out=tmp_path)
    ways = json.loads((tmp_path / "benchmark_logging.json").read_text())["ways"]
    assert [each["way"] for each in ways] == ["bare", "unlogged", "logged", "checked"]
    assert ways[0]["ratio"] == 1
    assert "more than bare" in capsys.readouterr().out
