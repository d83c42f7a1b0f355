"""Lecture 000: a 2-2-1 network with the log loss, all nine updates, and training on real data.

    z₁ = x₁w₁₁ + x₂w₂₁ + b₁,  a₁ = σ(z₁),  z = a₁w₁ + a₂w₂ + b,  ŷ = σ(z)
    L = −y ln ŷ − (1 − y) ln(1 − ŷ)

First each of the nine derivatives as the product of its factors, and again after ŷ(1 − ŷ) has
cancelled, against autograd. Then the network learns to tell malignant from benign tumours by two
of the measurements in scikit-learn's bundled breast cancer data, standardised.

    python -m experiments.log_loss_network
"""

from dataclasses import replace
from math import prod

import torch
from sklearn.datasets import load_breast_cancer
from torch import Tensor

import torchref.nn as nn
from experiments.bundled_data import split
from experiments.lecture.statements import Statements
from torchref.explainer.lectures import LECTURES
from torchref.explainer.tensorboard import log_explanations
from torchref.training import (
    BESIDE_TORCH,
    Examples,
    Settings,
    Task,
    run_experiment,
    train,
)

MEASURES = ("mean concave points", "worst area")  # the two that tell most together
LECTURE = LECTURES["log-loss-network"]
PLACES: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("linear1.weight", (0, 0)),
    ("linear1.weight", (0, 1)),
    ("linear1.weight", (1, 0)),
    ("linear1.weight", (1, 1)),
    ("linear1.bias", (0,)),
    ("linear1.bias", (1,)),
    ("linear2.weight", (0, 0)),
    ("linear2.weight", (0, 1)),
    ("linear2.bias", (0,)),
)


def statements(seed: int) -> Statements:
    """The nine derivatives, before and after the cancellation, and their updates."""
    stated = Statements()
    for parameter, entry in PLACES:
        found = LECTURE.explain(parameter, entry, seed=seed)
        factors = [factor.value for factor in found.factors]
        formulas = " · ".join(factor.formula for factor in found.factors)
        assert found.cancellation is not None
        left = " · ".join([found.cancellation.after, *(f.formula for f in found.factors[2:])])
        product = found.cancellation.value_after * prod(factors[2:])
        autograd = found.evidence.autograd
        stated.equal(f"{found.gradient} = {formulas}", prod(factors), autograd)
        stated.equal(f"{found.gradient} = {left}", product, autograd)
        after = found.before - found.rate * autograd
        stated.equal(
            f"{found.parameter} ← {found.parameter} − α {found.gradient}", found.after, after
        )
    return stated


def tumours(seed: int) -> tuple[Examples, Examples]:
    """Examples to train on and to hold out, standardised by what the training part shows."""
    data = load_breast_cancer()
    columns = [list(data.feature_names).index(name) for name in MEASURES]
    benign = torch.as_tensor(data.target).double()[:, None]
    return split(data.data[:, columns], benign, 0.3, seed, classes=data.target)


def accuracy(output: Tensor, target: Tensor) -> float:
    """The share of tumours on the right side of ŷ = ½."""
    return ((output > 0.5) == (target > 0.5)).double().mean().item()


def main(settings: Settings) -> None:
    """Lecture 000: a 2-2-1 network with the log loss, all nine updates, and real data."""
    print(LECTURE.explain(seed=settings.seed))
    torch.manual_seed(settings.seed)
    examples, held_out = tumours(settings.seed)
    task = Task(
        "log_loss_network",
        nn.SigmoidNetwork((2, 2, 1)),
        nn.BCELoss(),
        examples,
        held_out,
        {"accuracy": accuracy},
    )
    outcome = train(task, settings)
    if outcome.folder:
        log_explanations(outcome.folder, {"w11": LECTURE.explain(seed=settings.seed)})
    for gradients, scalars in outcome.scalars.items():
        print(f"With {gradients} gradients {scalars['accuracy/held_out']:.1%} held-out are right.")
    statements(settings.seed).show()


if __name__ == "__main__":
    run_experiment(main, replace(BESIDE_TORCH, epochs=2000, lr=1.0))
