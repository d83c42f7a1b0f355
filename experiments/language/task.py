"""What the models of text are taught, and what is said at the end."""

from collections.abc import Mapping
from functools import partial

from torch.nn import Module

import torchref.nn as nn
from experiments.language.looks import written
from experiments.language.text import Text, windows
from torchref.training import Optimizer, Outcome, Settings, Task
from torchref.training.model.task import Show

EPOCH, MEASURED = 640, 96  # windows in an epoch, and of each part at a log point
DEFAULTS = Settings(
    steps=300, batch_size=64, lr=0.004, optimizer=Optimizer.ADAM, threads=2, save_every=10
)


def next_character(
    name: str, network: Module, text: Text, length: int, seed: int, shown: Mapping[str, Show]
) -> Task:
    """From each character of a window to the next one; what it writes is shown too."""
    learnt, held_out = text.parts
    return Task(
        name,
        network,
        nn.CrossEntropyLoss(),
        windows(learnt, length, stride=1),
        windows(held_out, length, stride=length),
        shown={"written": partial(written, text=text, length=length, seed=seed), **shown},
        epoch=EPOCH,
        measured=MEASURED,
    )


def tell(outcome: Outcome, text: Text, length: int, seed: int) -> None:
    """The loss beside that of counting, and what each model writes."""
    for gradients, scalars in outcome.scalars.items():
        print(f"With {gradients} gradients: {scalars['loss/held_out']:.3f} nats a character.")
    print(f"A trigram model with add-one smoothing has {text.trigram_loss():.3f}.")
    for name, model in outcome.models.items():
        print(f"What the {name} one writes:\n{written(model.eval(), text, length, seed)}")
