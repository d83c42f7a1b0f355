"""How far diabetes has progressed after a year: the squared error, on ten measurements.

The 442 patients are scikit-learn's bundled ones; a fifth of them is held out. The same patients go
to scikit-learn's own MLPRegressor, so that there is something to compare with. The progression is
learnt in units of its spread, and R² tells which share of its variance is explained.

    python -m experiments.diabetes --early-stop 10
"""

from typing import Annotated

import torch
import typer
from sklearn.datasets import load_diabetes
from sklearn.neural_network import MLPRegressor

import torchref.nn as nn
from experiments.bundled_data import reference_score, split
from torchref.training import Optimizer, Settings, Task, r2, run_experiment, train

MEAN, SPREAD = 150.0, 75.0  # of the progression, in round numbers
DEFAULTS = Settings(epochs=60, batch_size=32, lr=0.003, optimizer=Optimizer.ADAM)


def main(
    settings: Settings,
    hidden: Annotated[int, typer.Option(min=1, help="Units of the hidden layer.")] = 16,
) -> None:
    """How far diabetes has progressed after a year: the squared error, on ten measurements."""
    torch.manual_seed(settings.seed)
    x, progression = load_diabetes(return_X_y=True)
    column = torch.as_tensor((progression - MEAN) / SPREAD).unsqueeze(1)
    parts = split(x, column, 0.2, settings.seed)
    network = nn.Sequential(nn.Linear(10, hidden), nn.Tanh(), nn.Linear(hidden, 1))
    outcome = train(Task("diabetes", network, nn.MSELoss(), *parts, scores={"r2": r2}), settings)
    for gradients, scalars in outcome.scalars.items():
        print(f"With {gradients} gradients {scalars['r2/held_out']:.1%} of the variance explained.")
    if outcome.folder:
        score = reference_score(MLPRegressor, "tanh", hidden, *parts, settings, outcome.steps)
        print(
            f"scikit-learn's MLPRegressor of that size, after as many steps, explains {score:.1%}."
        )


if __name__ == "__main__":
    run_experiment(main, DEFAULTS)
