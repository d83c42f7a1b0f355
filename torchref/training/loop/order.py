"""The order in which examples come: drawn anew for every epoch, and repeatable from its middle."""

import math
from typing import Any

import torch
from torch import Tensor


class Order:
    """Batches of row numbers; without a batch size one batch of all rows, in their own order.

    An epoch is all rows, or so many of them as `epoch` says, drawn anew each time.

    >>> order = Order(5, batch_size=2, seed=0)
    >>> order.begin()
    >>> [len(batch) for batch in (order.take(), order.take(), order.take())]
    [2, 2, 1]
    >>> order.exhausted
    True
    """

    def __init__(
        self, examples: int, batch_size: int | None, seed: int, epoch: int | None = None
    ) -> None:
        self.examples, self.batch_size, self.epoch = examples, batch_size, epoch
        self.generator = torch.Generator().manual_seed(seed)
        self.start = self.generator.get_state()
        self.batches: tuple[Tensor, ...] = ()
        self.taken = 0

    def begin(self) -> None:
        self.start = self.generator.get_state()
        if self.batch_size is None:
            self.batches = (torch.arange(self.examples),)
        else:
            rows = torch.randperm(self.examples, generator=self.generator)
            self.batches = rows[: self.epoch].split(self.batch_size)
        self.taken = 0

    def __len__(self) -> int:
        """How many batches make an epoch."""
        rows = self.examples if self.epoch is None else min(self.epoch, self.examples)
        return 1 if self.batch_size is None else math.ceil(rows / self.batch_size)

    @property
    def exhausted(self) -> bool:
        return self.taken == len(self.batches)

    def take(self) -> Tensor:
        self.taken += 1
        return self.batches[self.taken - 1]

    def state_dict(self) -> dict[str, Any]:
        return {"start": self.start, "taken": self.taken}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.generator.set_state(state["start"])
        if state["taken"]:
            self.begin()
        self.taken = state["taken"]
