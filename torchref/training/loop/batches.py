"""The batches of an epoch one by one: rows of tensors in a drawn order, or those of a loader.

Both go on from their middle as if they had never stopped.
"""

import hashlib
from collections.abc import Iterator
from typing import Any, Protocol

import torch

from torchref.errors import InputError
from torchref.training.loop.order import Order
from torchref.training.model.examples import Examples, Loaded
from torchref.training.settings import Settings


class Batches(Protocol):
    """What the loop takes its steps on."""

    def __len__(self) -> int:
        """How many an epoch has."""

    def begin(self) -> None:
        """The next epoch."""

    @property
    def exhausted(self) -> bool: ...

    def take(self) -> Examples: ...

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any]) -> None: ...


class RowBatches:
    """Batches of the rows of tensors."""

    def __init__(self, examples: Examples, order: Order) -> None:
        self.examples, self.order = examples, order
        self.begin, self.state_dict = order.begin, order.state_dict
        self.load_state_dict = order.load_state_dict

    def __len__(self) -> int:
        return len(self.order)

    @property
    def exhausted(self) -> bool:
        return self.order.exhausted

    def take(self) -> Examples:
        return self.examples[self.order.take().to(self.examples.x.device)]


class LoaderBatches:
    """Batches as a loader gives them."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded
        self.epoch, self.taken = -1, len(loaded)
        self.batches: Iterator[Examples] = iter(())
        self.last: Examples | None = None

    def __len__(self) -> int:
        return len(self.loaded)

    def begin(self) -> None:
        self.epoch, self.taken, self.last = self.epoch + 1, 0, None
        self.batches = self.loaded.epoch(self.epoch)

    @property
    def exhausted(self) -> bool:
        return self.taken == len(self)

    def take(self) -> Examples:
        self.last = next(self.batches)
        self.taken += 1
        return self.last

    def state_dict(self) -> dict[str, Any]:
        last = None if self.last is None else fingerprint(self.last)
        return {"epoch": self.epoch, "taken": self.taken, "last": last}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Raises `InputError` for a loader that gives other batches than it did."""
        self.epoch, self.taken = state["epoch"], len(self)
        if state["taken"] == len(self):
            return
        self.epoch -= 1
        if state["taken"] == 0:
            return
        self.begin()
        while self.taken < min(state["taken"], len(self)):
            self.take()
        if self.last is None or fingerprint(self.last) != state["last"]:
            raise InputError(
                "A run goes on with the batches that it began with",
                f"batch {self.taken} of epoch {self.epoch} is another one",
                "Is the data another, or does the loader draw from a generator of its own?",
            )


def fingerprint(batch: Examples) -> str:
    found = hashlib.sha256()
    for each in (batch.x, batch.target):
        found.update(repr((each.shape, each.dtype)).encode())
        found.update(each.cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def batches_of(part: Examples | Loaded, settings: Settings, epoch: int | None) -> Batches:
    """Raises `InputError` for settings that the data cannot follow."""
    if isinstance(part, Examples):
        if settings.accumulate > 1 and settings.batch_size is None:
            raise InputError(
                "Gradients are accumulated over batches",
                f"accumulate={settings.accumulate} arrived without a batch size",
                "Give --batch-size as well: the examples of one of the batches.",
            )
        order = Order(len(part), settings.batch_size, settings.seed, epoch)
        return RowBatches(part, order)
    for name, value in {"batch_size": settings.batch_size, "Task(epoch=...)": epoch}.items():
        if value is not None:
            raise InputError(
                "A loader makes the batches and says how many make an epoch",
                f"{name} arrived too, {value}",
                "Leave it out, or give the examples as tensors.",
            )
    return LoaderBatches(part)
