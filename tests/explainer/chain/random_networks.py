"""Layered networks of depth 1 to 6 and widths 1 to 5, with every loss, and an entry to explain."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from hypothesis import strategies as st
from torch import Tensor

from tests.backprop.random_stacks import LOSSES, weighted
from torchref import explain, nn
from torchref.explainer import Explanation

EVERY_LOSS = {
    **LOSSES,
    "CrossEntropyLoss": nn.CrossEntropyLoss,
    "CrossEntropyLoss sum": lambda: nn.CrossEntropyLoss(reduction="sum"),
}
ACTIVATIONS = (nn.Sigmoid, nn.Tanh, nn.ReLU)


@dataclass(frozen=True)
class Problem:
    network: nn.Sequential
    loss: nn.Module
    x: Tensor
    target: Tensor
    parameter: str
    entry: tuple[int, ...]


def explained(problem: Problem, **options: object) -> Explanation:
    return explain(
        problem.network,
        problem.loss,
        problem.x,
        problem.target,
        problem.parameter,
        problem.entry,
        **options,
    )


@st.composite
def problems(draw: st.DrawFn, most_depth: int = 6, most_width: int = 5) -> Problem:
    torch.manual_seed(draw(st.integers(0, 10_000)))
    depth = draw(st.integers(1, most_depth))
    sizes = [draw(st.integers(1, most_width)) for _ in range(depth + 1)]
    name = draw(st.sampled_from(sorted(EVERY_LOSS)))
    layers: list[nn.Module] = []
    for level, (inputs, outputs) in enumerate(pairwise(sizes), start=1):
        kind = draw(st.sampled_from(("bias", "no bias", "homogeneous")))
        if kind == "homogeneous":
            layers.append(nn.HomogeneousLinear(inputs, outputs))
        else:
            layers.append(nn.Linear(inputs, outputs, bias=kind == "bias"))
        if level < depth or not name.startswith("BCE"):
            chosen = draw(st.lists(st.sampled_from(ACTIVATIONS), max_size=2))
            layers.extend(activation() for activation in chosen)
    if name.startswith("BCELoss"):
        layers.append(nn.Sigmoid())
    network = nn.Sequential(*layers).double()
    loss = EVERY_LOSS[name]()
    if draw(st.booleans()):
        loss = weighted(loss, sizes[-1], seed=1)
    examples = draw(st.integers(1, 3))
    x = torch.randn(examples, sizes[0], dtype=torch.float64)
    target = torch.rand(examples, sizes[-1], dtype=torch.float64)
    if name.startswith("Cross") and draw(st.booleans()):
        target = target.div(target.sum(dim=1, keepdim=True))
    parameter, tensor = draw(st.sampled_from(list(network.named_parameters())))
    entry = tuple(draw(st.integers(0, size - 1)) for size in tensor.shape)
    return Problem(network, loss, x, target, parameter, entry)
