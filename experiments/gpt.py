"""A small GPT that learns to write Python's documentation, its gradients all by hand.

Embedding, rotary positions, attention, RMS norm, gated layers and a head that shares its table
with the embedding; the text is that of `help("topics")`, which ships with Python. What it writes
and who looks at whom are in TensorBoard beside the losses.

    python -m experiments.gpt
    python -m experiments.gpt --device cuda --autocast --width 384 --blocks 6 --steps 3000
    python -m experiments.gpt --gradients handwritten --gradients torch --steps 60
"""

from functools import partial
from typing import Annotated

import torch
import typer

from experiments.language.looks import attention_map
from experiments.language.task import DEFAULTS, next_character, tell
from experiments.language.text import Text
from experiments.language.transformer import Transformer
from torchref.errors import InputError
from torchref.training import Settings, Task, run_experiment, train


def task(text: Text, seed: int, width: int, heads: int, blocks: int, length: int) -> Task:
    torch.manual_seed(seed)
    network = Transformer(len(text.alphabet), width, heads, blocks, length)
    characters = text.parts[1][:length]
    looks = {
        f"attention/block{block + 1}_head{head + 1}": partial(
            attention_map, text=text, characters=characters, block=block, head=head
        )
        for block in range(blocks)
        for head in range(heads)
    }
    return next_character("gpt", network, text, length, seed, looks)


def main(
    settings: Settings,
    width: Annotated[int, typer.Option(min=2, help="Features of a character.")] = 128,
    heads: Annotated[int, typer.Option(min=1, help="Of the attention.")] = 4,
    blocks: Annotated[int, typer.Option(min=1, help="Of attention and a gated layer.")] = 4,
    length: Annotated[int, typer.Option(min=2, max=8192, help="Characters in a window.")] = 64,
) -> None:
    """A small GPT that learns to write Python's documentation, its gradients all by hand."""
    if width % (2 * heads):
        raise InputError(
            "--width must be a multiple of twice --heads: each head turns pairs of features",
            f"{width} and {heads} arrived",
            f"{2 * heads * max(1, width // (2 * heads))} is one.",
        )
    text = Text.of_python()
    outcome = train(task(text, settings.seed, width, heads, blocks, length), settings)
    tell(outcome, text, length, settings.seed)


if __name__ == "__main__":
    run_experiment(main, DEFAULTS)
