"""A convolutional network of digits, its gradients beside torch's."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from experiments.convnet_digits import DEFAULTS, task
from tests.training.small_task import BOTH, curve
from torchref.training import torch_twin, train


def test_all_gradients_are_torchs() -> None:
    reading = task(0, channels=3, dropout=0.0)
    batch = reading.examples[torch.arange(6)]
    batch = replace(batch, x=batch.x.double(), target=batch.target.double())
    model = reading.network.double()
    losses = model, reading.loss, torch_twin(model), reading.torchs_loss()
    mine, torchs = (
        torch.autograd.grad(loss(network(batch.x), batch.target), [*network.parameters()])
        for network, loss in (losses[:2], losses[2:])
    )
    for one, other in zip(mine, torchs, strict=True):
        assert (one - other).abs().max() <= 1e-12 * other.abs().max()


def test_it_learns_by_hand_as_with_torch(tmp_path: Path) -> None:
    told = replace(DEFAULTS, logdir=tmp_path, epochs=2, gradients=BOTH, quiet=True, threads=1)
    outcome = train(task(0, channels=4, dropout=0.2), replace(told, lr=0.01, check_every=40))
    mine, torchs = (curve(outcome, run, "loss/held_out") for run in ("handwritten", "torch"))
    assert mine[-1][1] < 0.7 * mine[0][1]
    assert [loss for _, loss in mine] == pytest.approx([loss for _, loss in torchs], rel=0.02)
    assert outcome.scalars["handwritten"]["gradients/verdict"] == 1
    assert outcome.scalars["handwritten"]["gradients/relative_difference"] < 1e-4
