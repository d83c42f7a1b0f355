"""The layers of torch's transformer, made of handwritten ones."""

from typing import Any

import torch
import torch.nn.functional as F
from torch.nn import Module

from torchref import functional
from torchref.nn.attention.multihead import MultiheadAttention
from torchref.nn.indexing import Dropout
from torchref.nn.linear import Linear
from torchref.nn.normalisation import LayerNorm

CLASSES: dict[type[Module], type[Module]] = {
    torch.nn.Dropout: Dropout,
    torch.nn.LayerNorm: LayerNorm,
    torch.nn.Linear: Linear,
    torch.nn.MultiheadAttention: MultiheadAttention,
}
ACTIVATIONS = {F.relu: functional.relu, F.gelu: functional.gelu}


class TransformerEncoderLayer(torch.nn.TransformerEncoderLayer):
    """Self-attention and a wide layer; the options and the state are those of torch's.

    >>> layer = TransformerEncoderLayer(8, nhead=2, dim_feedforward=16)
    >>> layer(torch.zeros(5, 3, 8)).shape
    torch.Size([5, 3, 8])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        make_by_hand(self)

    @property
    def activation_relu_or_gelu(self) -> int:
        """What torch's evaluation asks before it takes a fused kernel in the layers' place: no."""
        return 0

    @activation_relu_or_gelu.setter
    def activation_relu_or_gelu(self, _: int) -> None: ...


class TransformerDecoderLayer(torch.nn.TransformerDecoderLayer):
    """Self-attention, attention to a memory, and a wide layer, with torch's options and state.

    >>> layer = TransformerDecoderLayer(8, nhead=2, dim_feedforward=16)
    >>> layer(torch.zeros(5, 3, 8), torch.zeros(4, 3, 8)).shape
    torch.Size([5, 3, 8])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        make_by_hand(self)


def make_by_hand(layer: Module) -> None:
    """Its parts get the handwritten classes, and its activation the handwritten function."""
    for part in layer.children():
        part.__class__ = CLASSES.get(type(part), type(part))
    activation = getattr(layer, "activation", None)
    if callable(activation) and not isinstance(activation, Module):
        layer.activation = ACTIVATIONS.get(activation, activation)
