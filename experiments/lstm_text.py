"""An LSTM that learns to write Python's documentation, swept back through time by hand.

The text is that of `experiments.gpt`, so that the two are compared at the same task.

    python -m experiments.lstm_text
    python -m experiments.lstm_text --gradients handwritten --gradients torch --steps 60
"""

from dataclasses import replace
from typing import Annotated

import torch
import typer

from experiments.language.lstm import CharacterLSTM
from experiments.language.task import DEFAULTS, next_character, tell
from experiments.language.text import Text
from torchref.training import Settings, Task, run_experiment, train


def task(text: Text, seed: int, width: int, layers: int, length: int) -> Task:
    torch.manual_seed(seed)
    network = CharacterLSTM(len(text.alphabet), width, layers)
    return next_character("lstm_text", network, text, length, seed, {})


def main(
    settings: Settings,
    width: Annotated[int, typer.Option(min=1, help="Features of a character and a state.")] = 128,
    layers: Annotated[int, typer.Option(min=1, help="Of the LSTM, one over the other.")] = 1,
    length: Annotated[int, typer.Option(min=2, max=8192, help="Characters in a window.")] = 64,
) -> None:
    """An LSTM that learns to write Python's documentation, swept back through time by hand."""
    text = Text.of_python()
    outcome = train(task(text, settings.seed, width, layers, length), settings)
    tell(outcome, text, length, settings.seed)


if __name__ == "__main__":
    run_experiment(main, replace(DEFAULTS, lr=0.01))
