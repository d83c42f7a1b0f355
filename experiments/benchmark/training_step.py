"""One training step, forward and backward, done in four ways on networks of many sizes."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

import torchref.nn
from experiments.benchmark.turns import Run
from torchref.backprop import Backprop

WAYS = ("sweep", "functions", "torch", "compiled")


@dataclass(frozen=True)
class Setting:
    """A network and what it is trained with."""

    sizes: tuple[int, ...]
    loss: str
    batch: int

    @property
    def name(self) -> str:
        sizes = "-".join(map(str, self.sizes))
        if len(self.sizes) > 4:
            sizes = f"{self.sizes[0]} wide, {len(self.sizes) - 1} deep"
        return f"{sizes}, {self.loss}, batch {self.batch}"


WIDTHS = (
    Setting((2, 2, 1), "BCELoss", 1),
    Setting((2, 2, 1), "BCELoss", 32),
    Setting((4, 3, 2), "MSELoss", 1),
    Setting((4, 3, 2), "MSELoss", 32),
    Setting((30, 16, 1), "BCELoss", 64),
    Setting((64, 64, 10), "MSELoss", 64),
    Setting((256, 256, 256), "MSELoss", 128),
    Setting((1024, 1024, 1024), "MSELoss", 256),
    Setting((1024, 1024, 1024), "BCELoss", 256),
)
DEPTHS = tuple(Setting((16,) * (depth + 1), "MSELoss", 32) for depth in (2, 4, 8, 16, 32, 64))


def network_of(setting: Setting, nn: Any) -> torch.nn.Module:
    layers = [(nn.Linear(i, o), nn.Sigmoid()) for i, o in pairwise(setting.sizes)]
    return nn.Sequential(*(layer for pair in layers for layer in pair))


def step_of(way: str, setting: Setting) -> Run:
    """One forward and backward on fixed data, that leaves the gradients in `.grad`."""
    torch.manual_seed(0)
    nn = torchref.nn if way in ("sweep", "functions") else torch.nn
    network, loss = network_of(setting, nn), getattr(nn, setting.loss)()
    x = torch.rand(setting.batch, setting.sizes[0])
    target = torch.rand(setting.batch, setting.sizes[-1]).round()
    if way == "sweep":
        step = Backprop(network, loss)
        return lambda: step(x, target)
    parameters = list(network.parameters())

    def forward(x: Tensor, target: Tensor) -> Tensor:
        return loss(network(x), target)

    computed = torch.compile(forward) if way == "compiled" else forward

    def under_autograd() -> None:
        for parameter in parameters:
            parameter.grad = None
        computed(x, target).backward()

    return under_autograd
