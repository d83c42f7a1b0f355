"""Tasks of many examples, of integers, of noisy networks; and what they show of themselves."""

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor

import torchref.nn as nn
from tests.training.small_task import BOTH, curve, examples, rows, settings, task
from torchref.errors import InputError
from torchref.training import Dtype, Examples, Gradients, Task, train
from torchref.training.checks.live_check import DIFFERENCE, VERDICT

LOSS = "loss/train"


class Noisy(nn.Module):
    """Multiplies by random numbers in training, and by their mean, one half, in evaluation."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rand_like(x) if self.training else x / 2


def network(*layers: torch.nn.Module) -> torch.nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 3), *layers, nn.Linear(3, 2))


def test_an_epoch_may_be_a_part_of_the_examples(tmp_path: Path) -> None:
    outcome = train(task(epoch=10), settings(tmp_path, batch_size=4, epochs=3))
    assert (outcome.epochs, outcome.steps) == (3, 9)


def test_losses_are_measured_on_rows_spread_over_all(tmp_path: Path) -> None:
    outcome = train(task(measured=5), settings(tmp_path, epochs=1))
    few = examples().spread(5)
    assert torch.equal(few.x, examples().x[[0, 5, 11, 16, 22]])
    loss = nn.MSELoss()(task().network.double()(few.x), few.target).item()
    assert curve(outcome, "handwritten", LOSS)[0][1] == pytest.approx(loss)
    assert examples().spread(None) is not few
    assert len(examples().spread(100)) == 23


@pytest.mark.parametrize("layer", [Noisy(), nn.BatchNorm1d(3)])
def test_a_curve_is_measured_in_evaluation(tmp_path: Path, layer: torch.nn.Module) -> None:
    outcome = train(task(network(layer)), settings(tmp_path, epochs=2))
    model = outcome.models["handwritten"]
    assert model.training
    loss = nn.MSELoss()(model.eval()(examples().x), examples().target).item()
    assert curve(outcome, "handwritten", LOSS)[-1][1] == pytest.approx(loss)


@pytest.mark.parametrize("layer", [Noisy, lambda: nn.BatchNorm1d(3)], ids=["noise", "norm"])
def test_live_checks_and_pictures_change_no_curve(tmp_path: Path, layer: Any) -> None:
    def noise(_: torch.nn.Module) -> str:
        return str(torch.rand(3))

    curves = []
    for name, every in (("looked", 1), ("not", 0)):
        changes = {"shown": {"noise": noise}} if every else {}
        told = settings(tmp_path, run_name=name, check_every=every, epochs=3)
        outcome = train(task(network(layer()), **changes), told)
        curves.append([row for row in rows(outcome.folder) if not row[2].startswith("gradients/")])
    assert curves[0] == curves[1]


def test_a_network_shows_texts_and_pictures(tmp_path: Path) -> None:
    shown = {
        "sample": lambda model: f"training: {model.training}",
        "map": lambda _: Image.new("RGB", (3, 2)),
    }
    outcome = train(task(shown=shown), settings(tmp_path, epochs=2))
    events = EventAccumulator(str(outcome.folder / "handwritten")).Reload()
    assert [image.step for image in events.Images("map")] == [0, 1, 2]
    texts = events.Tensors("sample/text_summary")
    assert texts[0].tensor_proto.string_val[0] == b"training: False"


class Characters(nn.Module):
    """Logits of the next of four numbers, from a table with a row for each."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.table(torch.eye(4, dtype=self.table.weight.dtype)[x]).movedim(-1, 1)


def test_integers_stay_integers(tmp_path: Path) -> None:
    x = torch.arange(40).view(8, 5) % 4
    torch.manual_seed(0)
    counting = Task("count", Characters(), nn.CrossEntropyLoss(), Examples(x, (x + 1) % 4))
    outcome = train(counting, settings(tmp_path, gradients=BOTH, lr=5.0, epochs=20))
    assert outcome.scalars["handwritten"][LOSS] < 0.1
    assert outcome.scalars["handwritten"][DIFFERENCE] < 1e-12
    assert outcome.scalars["handwritten"][VERDICT] == 1


def test_autocast_trains_in_bfloat16(tmp_path: Path) -> None:
    seen = []

    class Watched(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(x.dtype)
            return x

    told = settings(tmp_path, autocast=True, dtype=Dtype.FLOAT32, gradients=BOTH, epochs=3)
    outcome = train(task(network(Watched())), told)
    assert torch.bfloat16 in seen
    assert outcome.models["handwritten"][0].weight.dtype == torch.float32
    # Where torch rounds otherwise, it is by roundings of bfloat16 and not more.
    assert outcome.scalars["handwritten"][DIFFERENCE] < 0.05
    assert outcome.scalars["handwritten"][VERDICT] == 1


@pytest.mark.parametrize(
    "options", [{"dtype": Dtype.FLOAT64}, {"gradients": [Gradients.SWEEP]}], ids=str
)
def test_autocast_is_refused_where_it_does_nothing(tmp_path: Path, options: Any) -> None:
    with pytest.raises(InputError, match="--autocast needs float32 and gradients by autograd"):
        settings(tmp_path, autocast=True, **({"dtype": Dtype.FLOAT32} | options))
