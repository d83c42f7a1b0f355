"""Handwritten digits, read by a convolutional network with handwritten gradients.

Convolutions, batch norm, pooling and dropout; the images are those of `experiments.digits`, whose
network without convolutions is what there is to compare with.

    python -m experiments.convnet_digits
    python -m experiments.convnet_digits --gradients handwritten --gradients torch --epochs 3
"""

from typing import Annotated

import torch
import typer

import torchref.nn as nn
from experiments.digits import CLASSES, images
from torchref.training import Optimizer, Settings, Task, accuracy, run_experiment, train

DEFAULTS = Settings(
    epochs=20, batch_size=32, lr=0.003, optimizer=Optimizer.ADAM, threads=2, save_every=5
)


def task(seed: int, channels: int, dropout: float) -> Task:
    """Pictures of 8 × 8 pixels in [0, 1], and a one in the column of the right digit."""
    torch.manual_seed(seed)
    examples, held_out = images(seed)
    network = nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        *(
            nn.Conv2d(1, channels, 3, padding="same", bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        ),
        nn.MaxPool2d(2),
        *(
            nn.Conv2d(channels, 2 * channels, 3, bias=False),
            nn.BatchNorm2d(2 * channels),
            nn.ReLU(),
        ),
        *(nn.AvgPool2d(2), nn.Flatten(), nn.Dropout(dropout)),
        nn.Linear(2 * channels, CLASSES),
    )
    scores = {"accuracy": accuracy}
    return Task("convnet_digits", network, nn.CrossEntropyLoss(), examples, held_out, scores)


def main(
    settings: Settings,
    channels: Annotated[int, typer.Option(min=1, help="Of the first convolution.")] = 16,
    dropout: Annotated[float, typer.Option(min=0, max=1, help="Before the last layer.")] = 0.2,
) -> None:
    """Handwritten digits, read by a convolutional network with handwritten gradients."""
    outcome = train(task(settings.seed, channels, dropout), settings)
    for gradients, scalars in outcome.scalars.items():
        print(f"With {gradients} gradients {scalars['accuracy/held_out']:.2%} are read right.")


if __name__ == "__main__":
    run_experiment(main, DEFAULTS)
