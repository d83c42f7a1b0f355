"""What of one's own cannot be followed, and what no run can go on with."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.data import DistributedSampler

from tests.training.own_task import (
    Noisy,
    Own,
    batches,
    loader,
    one_cycle,
    rmsprop,
    trained,
    with_dropout,
)
from tests.training.small_task import asked_to_stop_in_step_12, examples, settings
from torchref.errors import InputError
from torchref.training import Dtype, Outcome, Task, train
from torchref.training.loop.loop import Loop
from torchref.training.process.stopping import Interrupted


def test_other_batches_are_no_run_to_go_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Loop, "step", asked_to_stop_in_step_12)
        with pytest.raises(Interrupted):
            trained(tmp_path, batches(), run_name="part")
    with pytest.raises(InputError, match="batch 2 of epoch 2 is another one"):
        trained(tmp_path, batches(7), resume="part")


def test_another_optimiser_or_end_of_a_schedule_does_not_go_on(tmp_path: Path) -> None:
    folder = trained(tmp_path, own={"optimizer": rmsprop}, run_name="own").folder
    record = json.loads((folder / "config.json").read_text())["settings"]
    assert record["optimizer"].startswith("RMSprop(")
    assert record["lr"] == 0.01
    with pytest.raises(InputError, match=r"own has .*--optimizer 'RMSprop"):
        trained(tmp_path, resume="own")
    trained(tmp_path, schedule="cosine", run_name="cosine")
    with pytest.raises(InputError, match="cosine has --epochs 6, and --epochs 9 arrived"):
        trained(tmp_path, schedule="cosine", resume="cosine", epochs=9)


def test_a_loss_that_parts_do_not_make_up_is_refused_where_they_must(tmp_path: Path) -> None:
    labels = torch.tensor([0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1])
    x = torch.randn(12, 4)
    weighted = torch.nn.CrossEntropyLoss(weight=torch.tensor([1.0, 5.0]))
    ignoring = torch.nn.CrossEntropyLoss(ignore_index=0)

    def contrast(output: Tensor, _: Tensor) -> Tensor:
        return -(output @ output.T).log_softmax(1).diagonal().mean()

    def total(output: Tensor, target: Tensor) -> Tensor:
        return torch.nn.functional.cross_entropy(output, target, reduction="sum")

    def run(loss: Any, count: int) -> Outcome:
        own = Task("small", torch.nn.Linear(4, 2), loss, (x, labels))
        told = {"accumulate": count, "batch_size": 4, "dtype": Dtype.FLOAT32, "epochs": 1}
        return train(own, settings(tmp_path, **told))

    for loss in (weighted, ignoring, contrast, total):
        assert run(loss, 1).steps == 3
        with pytest.raises(InputError, match="The parts of a batch must make up its loss"):
            run(loss, 2)
    total.reduction = "sum"  # type: ignore[attr-defined]  # a function takes any
    for loss in (total, torch.nn.CrossEntropyLoss(), torch.nn.functional.cross_entropy):
        assert run(loss, 2).steps == 2


class WithObject(torch.optim.SGD):
    """Keeps an object of its own beside the momentum, from the first step on."""

    def step(self, closure: Any = None) -> Any:
        super().step(closure)
        self.state[self.param_groups[0]["params"][0]]["mine"] = Noisy()


def test_a_state_that_no_run_could_go_on_from_is_refused_before_it_is_needed(
    tmp_path: Path,
) -> None:
    own = {"optimizer": lambda model: WithObject(model.parameters(), 0.1)}
    with pytest.raises(InputError, match=r"tensors and plain types.*Keep other objects out"):
        trained(tmp_path, own=own, save_every=1)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a data set": ({"data": Noisy()}, "Give .x, target., or a DataLoader"),
    "a generator": ({"data": (batch for batch in batches())}, "Make a list of it"),
    "none": ({"data": []}, "examples must have a batch"),
    "one tensor": ({"data": torch.ones(3, 4)}, "class Tensor arrived"),
    "a dictionary": ({"data": [{"x": 1}]}, "a dict of str arrived.*collate_fn"),
    "a share": (
        {"data": loader(sampler=DistributedSampler(Noisy(), 2, 0), shuffle=None)},
        "its sampler is a DistributedSampler",
    ),
    "two sizes": ({"data": batches(), "batch_size": 4}, "batch_size arrived too, 4"),
    "no batches": ({"accumulate": 2, "batch_size": None}, "without a batch size"),
    "two schedules": ({"own": {"schedule": one_cycle}, "schedule": "linear"}, "has one schedule"),
    "an optimiser": ({"own": {"optimizer": rmsprop(Own())}}, "the class RMSprop arrived"),
    "its class": ({"own": {"optimizer": torch.optim.Adam}}, "TypeError came out of it"),
    "of another": ({"own": {"optimizer": lambda _: rmsprop(Own())}}, "it has others"),
    "LBFGS": ({"own": {"optimizer": lambda m: torch.optim.LBFGS(m.parameters())}}, "LBFGS arrived"),
    "plateau": ({"own": {"schedule": ReduceLROnPlateau}}, "goes by the loss"),
    "no schedule": ({"own": {"schedule": lambda _: 3}}, "it made a int"),
    "a text": ({"own": {"callbacks": [lambda _: "no"]}}, "'no' arrived"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_followed_is_refused_with_the_reason(tmp_path: Path, what: str) -> None:
    changes, match = REFUSED[what]
    changes = dict(changes)
    data, own = changes.pop("data", None), changes.pop("own", None)
    size = changes.pop("batch_size", None if data is not None else 5)
    with pytest.raises(InputError, match=match):
        train(
            with_dropout(examples() if data is None else data),
            settings(tmp_path, batch_size=size, **changes),
            **(own or {}),
        )
