"""Handwritten digits, read by a network whose softmax and cross-entropy are handwritten too.

The 1797 images of 8 × 8 pixels are scikit-learn's bundled ones; a fifth of them is held out. The
same images go to scikit-learn's own MLPClassifier, so that there is something to compare with.

    python -m experiments.digits --gradients sweep
"""

from typing import Annotated

import torch
import typer
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

import torchref.nn as nn
from experiments.bundled_data import reference_score, split
from torchref.training import Examples, Optimizer, Settings, Task, accuracy, run_experiment, train

CLASSES, BRIGHTEST = 10, 16.0
DEFAULTS = Settings(
    epochs=60, batch_size=32, lr=0.01, optimizer=Optimizer.ADAM, log_every=6, save_every=12
)


def images(seed: int) -> tuple[Examples, Examples]:
    """Pixels in [0, 1], and a one in the column of the right digit; a fifth is held out."""
    x, digits = load_digits(return_X_y=True)
    columns = torch.eye(CLASSES)[torch.as_tensor(digits)]
    return split(x, columns, 0.2, seed, classes=digits, scale=BRIGHTEST)


def task(seed: int, hidden: int) -> Task:
    torch.manual_seed(seed)
    examples, held_out = images(seed)
    network = nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, CLASSES))
    scores = {"accuracy": accuracy}
    return Task("digits", network, nn.CrossEntropyLoss(), examples, held_out, scores)


def main(
    settings: Settings,
    hidden: Annotated[int, typer.Option(min=1, help="Units of the hidden layer.")] = 128,
) -> None:
    """Handwritten digits, read by a network whose softmax and cross-entropy are handwritten too."""
    reading = task(settings.seed, hidden)
    outcome = train(reading, settings)
    for gradients, scalars in outcome.scalars.items():
        print(f"With {gradients} gradients {scalars['accuracy/held_out']:.2%} are read right.")
    if outcome.folder:
        parts = images(settings.seed)
        score = reference_score(MLPClassifier, "relu", hidden, *parts, settings, outcome.steps)
        print(f"scikit-learn's MLPClassifier of that size, after as many steps, reads {score:.2%}.")


if __name__ == "__main__":
    run_experiment(main, DEFAULTS)
