"""The memory of attention in blocks grows with the length: bytes are counted at small sizes."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
import torch
import typer
from typer.testing import CliRunner

from experiments import attention_memory
from experiments.attention_memory import LiveBytes, peaks

PAGE = (Path(__file__).parents[2] / "docs" / "attention_memory.md").read_text(encoding="utf-8")
ROWS = [
    (int(length), float(materialised), float(blockwise))
    for length, materialised, blockwise in re.findall(
        r"^\| (\d+) \| (\S+) \| (\S+) \|$", PAGE, re.M
    )
]


def call(*arguments: str) -> tuple[int, str]:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(attention_memory.main)
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.output


def test_what_is_alive_is_counted_and_what_was_freed_is_not() -> None:
    with LiveBytes() as counted:
        x = torch.ones(100)
        for _ in range(5):
            y = x + 1
        x.view(10, 10)
    assert counted.peak == 3 * 400  # the former y lives until the next is there
    assert y.sum() == 200


@pytest.mark.parametrize("is_causal", [False, True])
def test_the_memory_of_blocks_grows_with_the_length(is_causal: bool) -> None:
    measured = peaks((128, 256, 512), 32, is_causal)
    blockwise, materialised = (
        [of_length[way] for of_length in measured.values()] for way in ("blockwise", "materialised")
    )
    for shorter, longer in pairwise(blockwise):
        assert 1.9 < longer / shorter < 2.1
    assert materialised[-1] / materialised[-2] > 3.4
    assert blockwise[-1] < materialised[-1] / 2


def test_the_rows_of_the_page() -> None:
    assert [row[0] for row in ROWS] == list(attention_memory.LENGTHS)
    for length, of_length in peaks([row[0] for row in ROWS[:2]], 128).items():
        (row,) = (each for each in ROWS if each[0] == length)
        measured = of_length["materialised"] / 2**20, of_length["blockwise"] / 2**20
        assert measured == pytest.approx(row[1:], rel=0.02)


def test_it_prints_its_table() -> None:
    status, output = call("--length", "32", "--length", "64", "--block-size", "8", "--causal")
    assert status == 0, output
    assert "materialised" in output
    assert "times)" in output


@pytest.mark.skipif(torch.cuda.is_available(), reason="what is refused here is CUDA that is absent")
def test_cuda_that_is_not_there_is_refused() -> None:
    status, output = call("--device", "cuda")
    assert status == 2
    assert "no CUDA device" in output
