"""The forward pass in words: of a wide level only what is shown."""

import pytest
import torch

import torchref.nn as nn
from torchref import explain
from torchref.explainer.chain import forward

WIDTH = 300


def test_what_is_left_out_of_a_wide_network_is_not_put_into_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = []
    before = forward.formula

    def counted(*arguments: object) -> str:
        written.append(before(*arguments))
        return written[-1]

    monkeypatch.setattr(forward, "formula", counted)
    torch.manual_seed(0)
    network = nn.SigmoidNetwork((WIDTH, WIDTH, 2)).double()
    x, target = torch.rand(1, WIDTH).double(), torch.rand(1, 2).double()
    explained = explain(network, nn.MSELoss(), x, target, "linear1.weight").markdown()
    assert len(written) == 2 * forward.FIRST_FEW + 2 * 2
    assert f"{WIDTH - forward.FIRST_FEW} more" in explained
    assert all(text.count("·") <= forward.MOST_TERMS for text in written)
