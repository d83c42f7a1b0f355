"""A model of the shape of GPT-2, small: its gradients beside torch's, and what is written down."""

import json
from pathlib import Path

import pytest
import torch
import typer

from experiments import benchmark_gpt2
from experiments.language.gpt2 import GPT2
from torchref.training import torch_twin


def test_it_has_the_size_of_gpt2() -> None:
    with torch.device("meta"):
        model = GPT2()
    assert sum(parameter.numel() for parameter in model.parameters()) == 124_439_808


def test_all_gradients_are_torchs() -> None:
    torch.manual_seed(0)
    model = GPT2(tokens=11, length=9, width=8, heads=2, blocks=2).double()
    twin, tokens = torch_twin(model), torch.randint(11, (3, 8))
    mine, torchs = (
        torch.autograd.grad(each(tokens[:, :-1], tokens[:, 1:]), [*each.parameters()])
        for each in (model, twin)
    )
    for one, other in zip(mine, torchs, strict=True):
        assert (one - other).abs().max() <= 1e-12 * other.abs().max()


@pytest.mark.parametrize("way", benchmark_gpt2.WAYS)
def test_a_small_one_is_right(way: str) -> None:
    checked = benchmark_gpt2.check(way, blocks=1, width=64, length=5, threads=1)
    assert checked.verdict == "right", checked.told
    assert checked.seconds > 0 < checked.gibibytes
    json.dumps(checked.told)


def test_heads_are_of_64_features(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match="--width must be a multiple of 64, but 100"):
        benchmark_gpt2.main(width=100, out=tmp_path)
