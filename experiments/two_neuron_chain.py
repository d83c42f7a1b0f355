"""Lecture 003: a chain of two sigmoid neurons, by the numbers and then in training.

    z₁ = x w₁ + b₁,  a₁ = σ(z₁),  z₂ = a₁ w₂ + b₂,  a₂ = σ(z₂),  E = ½ (T − a₂)²

First every number of the lecture's worked example stands beside the lecture's own, each gradient
with the product of the chain rule that it is. Then the chain goes on learning the same example,
until the error is below the threshold or the epochs are over.

    python -m experiments.two_neuron_chain --threshold 1e-6
"""

from dataclasses import dataclass, replace
from math import prod
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.table import Table
from torch import Tensor

import torchref.nn as nn
from torchref.explainer.lectures import CHAIN_RATE, CHAIN_START, LECTURES, chain_of_two, numbers
from torchref.explainer.tensorboard import log_explanations
from torchref.training import (
    BESIDE_TORCH,
    Examples,
    Settings,
    Task,
    resolve_device,
    run_experiment,
    train,
)

EXPLAINED = LECTURES["two-neuron-chain"]
EXAMPLE = Examples(x=numbers(EXPLAINED.x)[None], target=numbers(EXPLAINED.target)[None])


@dataclass(frozen=True)
class Number:
    """A number of the worked example, the lecture's digits, and its factors by the chain rule."""

    name: str
    lecture: str
    value: Tensor
    factors: dict[str, Tensor]


def worked_example(device: torch.device) -> list[Number]:
    """Forward, the gradients of the handwritten ops under autograd, and one step of descent."""
    x, target = EXAMPLE.x.to(device), EXAMPLE.target.to(device)
    chain = chain_of_two().to(device)
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
        Number("z₁", "0.415", z1, {}),
        Number("a₁", "0.6023", a1, {}),
        Number("z₂", "0.9210", z2, {}),
        Number("a₂", "0.7153", a2, {}),
        Number("∂E/∂w₂", "0.05706", grad_w2, {**to_z2, "∂z₂/∂w₂": a1}),
        Number("w₂ − α ∂E/∂w₂", "0.427", w2 - CHAIN_RATE * grad_w2, {}),
        Number("∂E/∂b₂", "0.0948", grad_b2, {**to_z2, "∂z₂/∂b₂": one}),
        Number("b₂ − α ∂E/∂b₂", "0.612", b2 - CHAIN_RATE * grad_b2, {}),
        Number("∂E/∂w₁", "0.001021", grad_w1, {**to_z1, "∂z₁/∂w₁": x}),
        Number("w₁ − α ∂E/∂w₁", "0.1496", w1 - CHAIN_RATE * grad_w1, {}),
        Number("∂E/∂b₁", "0.01021", grad_b1, {**to_z1, "∂z₁/∂b₁": one}),
        Number("b₁ − α ∂E/∂b₁", "0.3959", b1 - CHAIN_RATE * grad_b1, {}),
    ]


def show(numbers: list[Number]) -> None:
    table = Table("", "lecture", "torchref", "by the chain rule", title="The worked example")
    for each in numbers:
        rule, factors = " · ".join(each.factors), [value.item() for value in each.factors.values()]
        product = " · ".join(f"{factor:.4f}" for factor in factors) + f" = {prod(factors):.10f}"
        table.add_row(
            each.name, each.lecture, f"{each.value.item():.10f}", f"{rule}\n{product}" * bool(rule)
        )
    Console().print(table)
    print("The lecture goes on with rounded numbers: hence its 0.05706, which is 0.05707.")


def main(
    settings: Settings,
    threshold: Annotated[float, typer.Option(min=0, help="The error to get below.")] = 0.001,
    random_start: Annotated[
        bool, typer.Option("--random-start", help="Train from weights drawn by --seed.")
    ] = False,
) -> None:
    """Lecture 003: a chain of two sigmoid neurons, by the numbers and then in training."""
    show(worked_example(resolve_device(settings.device)))
    print(EXPLAINED.explain("linear1.weight"))
    torch.manual_seed(settings.seed)
    task = Task(
        "two_neuron_chain",
        nn.SigmoidNetwork((1, 1, 1)) if random_start else chain_of_two(),
        nn.SquaredError("half_sum"),
        EXAMPLE,
        torch_loss=lambda a2, target: torch.nn.functional.mse_loss(a2, target) / 2,
    )
    outcome = train(task, settings, threshold=threshold)
    if outcome.folder:
        log_explanations(outcome.folder, {name: EXPLAINED.explain(name) for name in CHAIN_START})
    error = next(iter(outcome.scalars.values()))["loss/train"]
    relation = "<" if outcome.ended_by == "threshold" else "≥"
    by = f"stopped by the {outcome.ended_by}"
    print(f"Epoch {outcome.epochs}, {by}: error {error:.3g} {relation} {threshold:g}.")


if __name__ == "__main__":
    run_experiment(main, replace(BESIDE_TORCH, epochs=1000, lr=CHAIN_RATE, check_every=10))
