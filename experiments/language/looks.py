"""What a model of text shows of itself: what it writes, and who looks at whom."""

from typing import TYPE_CHECKING

import torch
from matplotlib.colors import PowerNorm
from torch import Tensor
from torch.nn import Module

from experiments.language.text import Text
from experiments.language.transformer import SelfAttention
from torchref.explainer.charts.drawing import card_figure, rasterized

if TYPE_CHECKING:
    from PIL.Image import Image

PROMPT, WRITTEN, LOOKED_AT = "The ", 240, 16


def written(model: Module, text: Text, length: int, seed: int, temperature: float = 0.8) -> str:
    """What the model writes after the prompt, drawn character by character, as Markdown."""
    generator = torch.Generator().manual_seed(seed)
    device = next(model.parameters()).device
    numbers = text.encoded(PROMPT)
    for _ in range(WRITTEN):
        logits = model(numbers[None, -length:].to(device))[0, :, -1]
        chances = torch.softmax(logits.float().cpu() / temperature, 0)
        numbers = torch.cat((numbers, torch.multinomial(chances, 1, generator=generator)))
    return f"```\n{text.decoded(numbers)}\n```"


def attention_map(model: Module, text: Text, characters: Tensor, block: int, head: int) -> "Image":
    """The weights of one head on the first characters, as large as a card of TensorBoard."""
    weights: list[Tensor] = []

    def look(attention: Module, given: tuple[Tensor, ...]) -> None:
        assert isinstance(attention, SelfAttention)
        weights.append(attention.weights(given[0])[0, head])

    layers = [module for module in model.modules() if isinstance(module, SelfAttention)]
    hook = layers[block].register_forward_pre_hook(look)
    try:
        model(characters[None, :LOOKED_AT].to(next(model.parameters()).device))
    finally:
        hook.remove()
    shown = [text.alphabet[number] for number in characters[:LOOKED_AT].tolist()]
    return _drawn(weights[0], ["␣" if c == " " else "⏎" if c == "\n" else c for c in shown])


def _drawn(weights: Tensor, characters: list[str]) -> "Image":
    """Small weights are told apart by the root in the colours."""
    figure, places = card_figure(), range(len(characters))
    axes, norm = figure.subplots(), PowerNorm(0.5, vmin=0, vmax=1)
    shades = axes.imshow(weights.float().cpu().tolist(), norm=norm)
    figure.colorbar(shades, label="weight", ticks=[0, 0.1, 0.5, 1])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(places, characters, fontsize=9, family="monospace")
        axis.set_tick_params(length=0, pad=1.5)
    axes.set(xlabel="is looked at", ylabel="looks")
    return rasterized(figure)
