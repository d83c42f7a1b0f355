"""Lecture 002: a 4-3-2 network learns to tell versicolor from virginica.

Four measurements of a flower come in, three hidden units, one output for each species: 18 weights
and 5 biases, randomly initialised. The cost is the plain sum of the squared differences. The
flowers are the 100 of scikit-learn's bundled iris data that no single measurement separates. Half
of them are held out and never trained on: with fewer, chance would decide the accuracy.

    python -m experiments.iris --seed 3
"""

import copy
from dataclasses import replace

import torch
from sklearn.datasets import load_iris

import torchref.nn as nn
from experiments.bundled_data import split
from torchref import explain
from torchref.explainer.tensorboard import log_explanations
from torchref.training import (
    BESIDE_TORCH,
    Examples,
    Settings,
    Task,
    accuracy,
    run_experiment,
    train,
)

SPECIES = {"versicolor": 1, "virginica": 2}  # the third, setosa, is told apart at a glance
HELD_OUT = 50
DEFAULTS = replace(BESIDE_TORCH, epochs=300, lr=0.02, check_every=10)


def flowers(seed: int) -> tuple[Examples, Examples]:
    """Examples to train on and to hold out, with a one in the column of their species."""
    iris = load_iris()
    kept = iris.target != 0
    species = torch.as_tensor(iris.target[kept])
    columns = torch.stack([species == number for number in SPECIES.values()], dim=1).double()
    return split(iris.data[kept], columns, HELD_OUT / len(species), seed, classes=species)


def task(seed: int) -> Task:
    torch.manual_seed(seed)
    return Task(
        "iris",
        nn.SigmoidNetwork((4, 3, 2)),
        nn.SquaredError("sum"),
        *flowers(seed),
        scores={"accuracy": accuracy},
        torch_loss=torch.nn.MSELoss(reduction="sum"),
    )


def main(settings: Settings) -> None:
    """Lecture 002: a 4-3-2 network learns to tell versicolor from virginica."""
    sorting = task(settings.seed)
    start = copy.deepcopy(sorting.network).double()
    outcome = train(sorting, settings)
    # One flower, and what its four measurements and the start make of the first weight.
    assert isinstance(sorting.examples, Examples)
    flower, species = sorting.examples.x[0].double(), sorting.examples.target[0].double()
    found = explain(start, nn.SquaredError("sum"), flower, species, rate=settings.lr)
    if outcome.folder:
        print(found)
        log_explanations(outcome.folder, {"linear1.weight": found})
    for gradients, scalars in outcome.scalars.items():
        held_out_part, train_part = scalars["accuracy/held_out"], scalars["accuracy/train"]
        print(
            f"With {gradients} gradients {held_out_part * HELD_OUT:.0f} of {HELD_OUT} held-out "
            f"flowers are right: {held_out_part:.1%}. Of those trained on: {train_part:.1%}."
        )


if __name__ == "__main__":
    run_experiment(main, DEFAULTS)
