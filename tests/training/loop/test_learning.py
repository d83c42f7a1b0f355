"""A training that has not learnt is told so, with the cause; one that may yet learn is not."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import torchref.nn as nn
from experiments import iris
from tests.training.small_task import examples, settings, task
from torchref.training import Optimizer, Outcome, Task, train

GOOD = 0.02


def trained(logdir: Path, **changes: Any) -> Outcome:
    told = replace(iris.DEFAULTS, logdir=logdir, quiet=True, check_every=0, gradients="handwritten")
    return train(iris.task(0), replace(told, **changes))


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"lr": 1e30}, r"all its gradients are 0\. The largest weight has grown from .* too large"),
        ({"lr": 50.0, "epochs": 120}, r"learning rate, which is 50, is the first thing to look at"),
        (
            {"lr": 1e-30, "epochs": 120},
            r"No parameter has changed: .* which is 1e-30, is too small",
        ),
    ],
    ids=str,
)
def test_it_is_said_with_the_likely_cause(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], cause: str
) -> None:
    outcome = trained(tmp_path, **changes)
    told = outcome.not_learnt["handwritten"]
    assert re.search(cause, told)
    assert told in capsys.readouterr().out
    record = json.loads((outcome.folder / "config.json").read_text())
    assert record["not_learnt"] == outcome.not_learnt


@pytest.mark.parametrize(
    "changes",
    [
        {"lr": GOOD},
        {"lr": 1e-9, "epochs": 150},  # by 3e-8 an epoch
        {"lr": 1e-6, "batch_size": 5, "epochs": 20},
        {"lr": 50.0, "epochs": 20},  # uphill, and has just begun
        {"lr": 1e30, "epochs": 2},
        {"lr": GOOD, "optimizer": Optimizer.ADAM, "steps": 3, "epochs": None},
    ],
    ids=str,
)
def test_what_learns_slowly_or_has_just_begun_is_not_accused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, Any]
) -> None:
    assert trained(tmp_path, **changes).not_learnt == {}
    assert "learnt" not in capsys.readouterr().out


@pytest.mark.parametrize("start", [-0.01, 1.5])
def test_a_perfect_fit_has_no_gradient_and_is_not_accused(tmp_path: Path, start: float) -> None:
    x = torch.tensor([[-1.0], [1.0]])
    network = torch.nn.Linear(1, 1)
    with torch.no_grad():
        network.weight.fill_(start)
    fitted = Task("fit", network, torch.nn.SoftMarginLoss(), (100 * x, x))
    told = settings(tmp_path, batch_size=None, epochs=200, lr=10.0, check_every=0, dtype="float32")
    outcome = train(fitted, told)
    assert outcome.scalars["handwritten"]["gradient_norm/weight"] == 0
    assert outcome.not_learnt == {}


def test_dead_units_are_told(tmp_path: Path) -> None:
    own = task(torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.ReLU()))
    with torch.no_grad():
        own.network[0].bias.fill_(-100.0)
    outcome = train(own, settings(tmp_path, epochs=10))
    assert "No parameter has changed" in outcome.not_learnt["handwritten"]


class Reversed(torch.autograd.Function):
    @staticmethod
    def forward(_: Any, x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    @staticmethod
    def backward(_: Any, grad_y: torch.Tensor) -> torch.Tensor:
        return -grad_y


class Uphill(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return Reversed.apply(self.linear(x))


@pytest.mark.slow
def test_wrong_gradients_are_the_first_cause_to_be_named(tmp_path: Path) -> None:
    own = Task("small", Uphill(), nn.MSELoss(), examples())
    outcome = train(own, settings(tmp_path, lr=1e-3, epochs=25))
    assert "The live check finds its gradients wrong" in outcome.not_learnt["handwritten"]


def test_it_is_known_of_a_run_that_goes_on(tmp_path: Path) -> None:
    trained(tmp_path, lr=50.0, epochs=60, run_name="part")
    assert trained(tmp_path, lr=50.0, epochs=120, resume="part").not_learnt
