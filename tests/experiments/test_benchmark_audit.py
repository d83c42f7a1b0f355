"""The benchmark of the audit measures the same training with it and without it."""

import json
from pathlib import Path

import pytest
import torch

from experiments import benchmark_audit


def test_it_measures_both_trainings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    benchmark_audit.main(rounds=2, steps=3, out=tmp_path)
    found = json.loads((tmp_path / "benchmark_audit.json").read_text())
    assert {"digits", "tiny"} <= found.keys()
    assert all(found[name]["ratio"] > 0 for name in ("digits", "tiny"))
    assert "audited / bare" in capsys.readouterr().out


def test_a_training_that_the_audit_changes_is_no_measurement() -> None:
    with pytest.raises(AssertionError, match="has changed the training"):
        benchmark_audit.measured(lambda _: torch.rand(3), steps=1, rounds=2)
