"""Malignant or benign: one logit and the log loss, on measurements of cell nuclei.

The 569 cases are scikit-learn's bundled ones; a fifth of them is held out. The same cases go to
scikit-learn's own MLPClassifier, so that there is something to compare with.

    python -m experiments.breast_cancer --gradients handwritten --gradients torch
"""

from typing import Annotated

import torch
import typer
from sklearn.datasets import load_breast_cancer
from sklearn.neural_network import MLPClassifier

import torchref.nn as nn
from experiments.bundled_data import reference_score, split
from torchref.training import Optimizer, Settings, Task, accuracy, run_experiment, train

DEFAULTS = Settings(epochs=40, batch_size=32, lr=0.003, optimizer=Optimizer.ADAM)


def main(
    settings: Settings,
    hidden: Annotated[int, typer.Option(min=1, help="Units of the hidden layer.")] = 16,
) -> None:
    """Malignant or benign: one logit and the log loss, on measurements of cell nuclei."""
    torch.manual_seed(settings.seed)
    x, benign = load_breast_cancer(return_X_y=True)
    column = torch.as_tensor(benign).double().unsqueeze(1)
    parts = split(x, column, 0.2, settings.seed, classes=benign)
    network = nn.Sequential(nn.Linear(30, hidden), nn.Sigmoid(), nn.Linear(hidden, 1))
    task = Task(
        "breast_cancer", network, nn.BCEWithLogitsLoss(), *parts, scores={"accuracy": accuracy}
    )
    outcome = train(task, settings)
    for gradients, scalars in outcome.scalars.items():
        print(f"With {gradients} gradients {scalars['accuracy/held_out']:.2%} are told right.")
    if outcome.folder:
        score = reference_score(MLPClassifier, "logistic", hidden, *parts, settings, outcome.steps)
        print(f"scikit-learn's MLPClassifier of that size, after as many steps, tells {score:.2%}.")


if __name__ == "__main__":
    run_experiment(main, DEFAULTS)
