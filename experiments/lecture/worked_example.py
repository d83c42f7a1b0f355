"""Lecture 003's worked example: every number of an iteration, beside the lecture's own digits."""

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

import torchref.nn as nn
from torchref.checker.report.table import Output, Table
from torchref.explainer.lectures import CHAIN_RATE, LECTURES, chain_of_two, numbers
from torchref.training import Examples

EXPLAINED = LECTURES["two-neuron-chain"]
EXAMPLE = Examples(x=numbers(EXPLAINED.x)[None], target=numbers(EXPLAINED.target)[None])


@dataclass(frozen=True)
class Number:
    """A number of the worked example, the lecture's digits, and its factors by the chain rule."""

    name: str
    lecture: str
    value: Tensor
    factors: dict[str, Tensor]


def worked_example(device: torch.device, chain: nn.SigmoidNetwork | None = None) -> list[Number]:
    """Forward, the gradients of the handwritten ops under autograd, and one step of descent.

    Without a chain that of the lecture with its weights; the digits are those of its first
    iteration.
    """
    x, target = EXAMPLE.x.to(device), EXAMPLE.target.to(device)
    chain = (chain or chain_of_two()).to(device)
    linear1, sigmoid1, linear2, sigmoid2 = chain
    z1 = linear1(x)
    a1 = sigmoid1(z1)
    z2 = linear2(a1)
    a2 = sigmoid2(z2)
    error = nn.SquaredError("half_sum")(a2, target)
    w1, b1, w2, b2 = chain.parameters()
    grad_w1, grad_b1, grad_w2, grad_b2 = torch.autograd.grad(error, (w1, b1, w2, b2))

    to_z2 = {"∂E/∂a₂": a2 - target, "∂a₂/∂z₂": a2 * (1 - a2)}
    to_z1 = {**to_z2, "∂z₂/∂a₁": w2, "∂a₁/∂z₁": a1 * (1 - a1)}
    one = torch.ones_like(x)
    return [
        Number("w₁", "0.15", w1, {}),
        Number("b₁", "0.40", b1, {}),
        Number("w₂", "0.45", w2, {}),
        Number("b₂", "0.65", b2, {}),
        Number("z₁", "0.415", z1, {}),
        Number("a₁", "0.6023", a1, {}),
        Number("z₂", "0.9210", z2, {}),
        Number("a₂", "0.7153", a2, {}),
        Number("E", "", error, {}),  # the lecture computes it, and does not say it
        Number("∂E/∂w₂", "0.05706", grad_w2, {**to_z2, "∂z₂/∂w₂": a1}),
        Number("w₂ − α ∂E/∂w₂", "0.427", w2 - CHAIN_RATE * grad_w2, {}),
        Number("∂E/∂b₂", "0.0948", grad_b2, {**to_z2, "∂z₂/∂b₂": one}),
        Number("b₂ − α ∂E/∂b₂", "0.612", b2 - CHAIN_RATE * grad_b2, {}),
        Number("∂E/∂w₁", "0.001021", grad_w1, {**to_z1, "∂z₁/∂w₁": x}),
        Number("w₁ − α ∂E/∂w₁", "0.1496", w1 - CHAIN_RATE * grad_w1, {}),
        Number("∂E/∂b₁", "0.01021", grad_b1, {**to_z1, "∂z₁/∂b₁": one}),
        Number("b₁ − α ∂E/∂b₁", "0.3959", b1 - CHAIN_RATE * grad_b1, {}),
    ]


def next_iteration(numbers: list[Number], device: torch.device) -> list[Number]:
    """The same from the updated weights and biases."""
    chain = chain_of_two()
    updated = {each.name.partition(" ")[0]: each.value for each in numbers if "−" in each.name}
    with torch.no_grad():
        for parameter, name in zip(chain.parameters(), ("w₁", "b₁", "w₂", "b₂"), strict=True):
            parameter.copy_(updated[name])
    return worked_example(device, chain)


def show(device: torch.device) -> None:
    """The first iteration with its factors, and the second beside it."""
    first = worked_example(device)
    second = next_iteration(first, device)
    columns = ("", "lecture", "torchref", "second iteration", "by the chain rule, the first time")
    table = Table(*columns, title="The worked example")
    for each, later in zip(first, second, strict=True):
        rule, factors = " · ".join(each.factors), [value.item() for value in each.factors.values()]
        product = " · ".join(f"{factor:.4f}" for factor in factors) + f" = {prod(factors):.10f}"
        values = (f"{number.value.item():.10f}" for number in (each, later))
        table.add_row(each.name, each.lecture, *values, f"{rule}\n{product}" * bool(rule))
    Output().print(table)
    print("The lecture goes on with rounded numbers: hence its 0.05706, which is 0.05707.")
