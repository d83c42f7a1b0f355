"""Attention, and what tells it of positions."""

from torchref.ops.attention.attention import Attention
from torchref.ops.attention.blockwise import BlockwiseAttention
from torchref.ops.attention.rotary import Rotary
from torchref.ops.attention.steps import attention_steps

__all__ = ["Attention", "BlockwiseAttention", "Rotary", "attention_steps"]
