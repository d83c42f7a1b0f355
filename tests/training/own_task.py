"""A task with a loader, a model, an optimiser and a schedule of one's own."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader, Dataset, TensorDataset

import torchref.nn as nn
from tests.training.small_task import examples, settings, task
from torchref.training import Outcome, Task, train

COUNT, BATCH = 23, 5


class Noisy(Dataset[Any]):
    """Examples that are another each time: by torch, by numpy, and by Python."""

    def __len__(self) -> int:
        return COUNT

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        data = examples()
        x = data.x[row] + torch.rand(4).double() + np.random.rand() + random.random()
        return x, data.target[row]


def loader(**changes: Any) -> DataLoader[Any]:
    return DataLoader(Noisy(), BATCH, **({"shuffle": True} | changes))


def plain_loader() -> DataLoader[Any]:
    data = examples()
    return DataLoader(TensorDataset(data.x, data.target), BATCH, shuffle=True)


def with_dropout(data: Any) -> Task:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 9), nn.Dropout(0.3), nn.Sigmoid(), nn.Linear(9, 2))
    return Task("small", network, nn.MSELoss(), data, examples(1, 11))


def rmsprop(model: torch.nn.Module) -> torch.optim.Optimizer:
    return torch.optim.RMSprop(model.parameters(), 0.01, momentum=0.9)


def one_cycle(optimizer: torch.optim.Optimizer) -> OneCycleLR:
    return OneCycleLR(optimizer, 0.02, total_steps=50)


def trained(logdir: Path, data: Any = None, own: Any = None, **changes: Any) -> Outcome:
    told = {} if data is None else {"batch_size": None}
    own_task = with_dropout(examples() if data is None else data)
    if changes.get("gradients") == "sweep":
        own_task = task()
    return train(own_task, settings(logdir, **told, **changes), **(own or {}))


def batches(order: int = 0) -> list[tuple[Tensor, Tensor]]:
    data = examples(order)
    return list(zip(data.x.split(BATCH), data.target.split(BATCH), strict=True))


class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx: Any, grad_y: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad_y * torch.sigmoid(x) * (1 + x)  # the last factor is forgotten


class Own(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.frozen, self.last = torch.nn.Linear(4, 8), torch.nn.Linear(8, 2)
        self.first = torch.nn.Linear(8, 8)
        self.frozen.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(Swish.apply(self.first(self.frozen(x))))
