"""Attention of several heads, and what is made of it."""

from torchref.nn.attention.multihead import MultiheadAttention
from torchref.nn.attention.rotary import RotaryEmbedding
from torchref.nn.attention.transformer import TransformerDecoderLayer, TransformerEncoderLayer

__all__ = [
    "MultiheadAttention",
    "RotaryEmbedding",
    "TransformerDecoderLayer",
    "TransformerEncoderLayer",
]
