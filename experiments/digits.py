"""Handwritten digits, read by a network whose softmax and cross-entropy are handwritten too.

The 1797 images of 8 × 8 pixels are scikit-learn's bundled ones; a fifth of them is held out. The
same training and held-out images go to scikit-learn's own MLPClassifier of equal size, so that
there is something to compare the accuracy with.

    python -m experiments.digits --gradients sweep
"""

from typing import Annotated

import torch
import typer
from sklearn.datasets import load_digits  # type: ignore[import-untyped]
from sklearn.model_selection import train_test_split  # type: ignore[import-untyped]
from sklearn.neural_network import MLPClassifier  # type: ignore[import-untyped]
from torch import Tensor

import torchref.nn as nn
from torchref.training import Examples, Optimizer, Settings, Task, run_experiment, train

CLASSES, BRIGHTEST = 10, 16.0


def images(seed: int) -> tuple[Examples, Examples]:
    """Examples to train on and to hold out; pixels in [0, 1], a one for the right digit."""
    x, digits = load_digits(return_X_y=True)
    kinds = torch.eye(CLASSES)[torch.as_tensor(digits)]
    train_x, held_out_x, train_kinds, held_out_kinds = train_test_split(
        torch.as_tensor(x) / BRIGHTEST, kinds, test_size=0.2, stratify=digits, random_state=seed
    )
    return Examples(train_x, train_kinds), Examples(held_out_x, held_out_kinds)


def accuracy(output: Tensor, target: Tensor) -> float:
    return (output.argmax(dim=1) == target.argmax(dim=1)).double().mean().item()


def reference(examples: Examples, held_out: Examples, hidden: int, settings: Settings) -> float:
    """What scikit-learn's classifier of the same size reaches, trained for as many epochs."""
    classifier = MLPClassifier(
        (hidden,),
        activation="relu",
        batch_size=settings.batch_size or len(examples),
        learning_rate_init=settings.lr,
        max_iter=settings.epochs,
        n_iter_no_change=settings.epochs,
        alpha=0,
        random_state=settings.seed,
    )
    classifier.fit(examples.x.numpy(), examples.target.argmax(dim=1).numpy())
    return float(classifier.score(held_out.x.numpy(), held_out.target.argmax(dim=1).numpy()))


def main(
    settings: Settings,
    hidden: Annotated[int, typer.Option(min=1, help="Units of the hidden layer.")] = 128,
    compare: Annotated[bool, typer.Option(help="Train scikit-learn's classifier too.")] = True,
) -> None:
    """Handwritten digits, read by a network whose softmax and cross-entropy are handwritten too."""
    torch.manual_seed(settings.seed)
    network = nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, CLASSES))
    examples, held_out = images(settings.seed)
    outcome = train(
        Task(
            "digits",
            network,
            nn.CrossEntropyLoss(),
            examples,
            held_out,
            scores={"accuracy": accuracy},
        ),
        settings,
    )
    for gradients, scalars in outcome.scalars.items():
        print(f"With {gradients} gradients {scalars['accuracy/held_out']:.2%} are read right.")
    if compare and outcome.scalars and not settings.dry_run:
        score = reference(examples, held_out, hidden, settings)
        print(f"scikit-learn's MLPClassifier of the same size reads {score:.2%} right.")


if __name__ == "__main__":
    adam = Optimizer.ADAM
    run_experiment(main, Settings(epochs=60, batch_size=32, lr=0.001, optimizer=adam))
