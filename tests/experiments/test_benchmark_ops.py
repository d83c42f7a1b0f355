"""Each op is timed beside its twin, at inputs made large where it takes them so."""

import json
from pathlib import Path

import pytest
import typer

from experiments.benchmark.op_step import enlarged, inputs_of
from experiments.benchmark_ops import main
from torchref.catalogue import CATALOGUE


def test_inputs_are_repeated_up_to_a_size() -> None:
    (x,) = inputs_of(CATALOGUE["GELU"], 1000)
    assert x.shape == (5 * 8, 3 * 8)
    x, weight, bias = inputs_of(CATALOGUE["Affine"], 1000)
    assert (x.shape[-1], weight.shape[0]) == (weight.shape[-1], len(bias))
    assert max(x.numel(), weight.numel()) <= 1000 < 4 * max(x.numel(), weight.numel())


def test_what_takes_no_larger_inputs_has_those_of_the_catalogue() -> None:
    entry = CATALOGUE["Inverse"]  # a matrix of repeated blocks has none
    first = entry.inputs(seed=0)[0]
    assert inputs_of(entry, 1000)[0].shape == enlarged(first, 1)[0].shape


def test_two_ops_are_timed_and_written_down(tmp_path: Path, capsys) -> None:
    main(["Sigmoid", "LSTMCell"], rounds=3, threads=1, numbers=50, compiled=False, out=tmp_path)
    written = json.loads((tmp_path / "times.json").read_text())
    assert [way["way"] for way in written["times"]["LSTMCell"]] == ["handwritten", "torch"]
    assert all(way["seconds"] > 0 for way in written["times"]["Sigmoid"])
    assert set(written["peak_bytes"]["Sigmoid"]) == {"handwritten", "torch"}
    assert "LSTMCell" in capsys.readouterr().out


def test_an_unknown_op_is_named(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match="Sigmod: the ops are Affine, "):
        main(["Sigmod"], out=tmp_path)
