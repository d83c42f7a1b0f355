"""Lecture 003: a chain of two sigmoid neurons, by the numbers and then in training.

    z₁ = x w₁ + b₁,  a₁ = σ(z₁),  z₂ = a₁ w₂ + b₂,  a₂ = σ(z₂),  E = ½ (T − a₂)²

First every number of the lecture's worked example stands beside the lecture's own, each gradient
with the product of the chain rule that it is, and beside them the second iteration. Then the chain
goes on learning the same example, until the error is below the threshold or the epochs are over.

    python -m experiments.two_neuron_chain --threshold 1e-6
"""

from dataclasses import replace
from typing import Annotated

import torch
import typer

import torchref.nn as nn
from experiments.lecture.worked_example import EXAMPLE, EXPLAINED, show
from torchref.explainer.lectures import CHAIN_RATE, CHAIN_START, chain_of_two
from torchref.explainer.tensorboard import log_explanations
from torchref.training import (
    BESIDE_TORCH,
    Settings,
    Task,
    resolve_device,
    run_experiment,
    train,
)


def main(
    settings: Settings,
    threshold: Annotated[float, typer.Option(min=0, help="The error to get below.")] = 0.001,
    random_start: Annotated[
        bool, typer.Option("--random-start", help="Train from weights drawn by --seed.")
    ] = False,
) -> None:
    """Lecture 003: a chain of two sigmoid neurons, by the numbers and then in training."""
    show(resolve_device(settings.device))
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
    defaults = replace(BESIDE_TORCH, epochs=1000, lr=CHAIN_RATE, check_every=10)
    run_experiment(main, defaults, free=["threshold"])
