"""A small GPT, every layer of which that has a gradient is handwritten."""

from torch import Tensor

import torchref.nn as nn
from torchref import functional

WIDENING = 8 / 3  # of the inner layer, whose gate makes two layers of it
START = 0.02  # standard deviation of the embedding, and of what is added to the stream


class SelfAttention(nn.Module):
    """Each character looks at those before it and at itself, in several heads.

    The functions stand in attributes, where `torchref.nn.by_torch` finds them.
    """

    cos: Tensor
    sin: Tensor

    def __init__(self, width: int, heads: int, length: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        cos, sin = functional.rotary_tables(length, width // heads)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self.rotate = functional.rotary_embedding
        self.attend = functional.scaled_dot_product_attention

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: x and y (N, L, width)."""
        y = self.attend(*self.queries_keys_values(x), is_causal=True)
        return self.out(y.transpose(1, 2).flatten(2))

    def queries_keys_values(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Shapes: (N, heads, L, width / heads) each."""
        q, k, v = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return self.rotate(q, self.cos, self.sin), self.rotate(k, self.cos, self.sin), v

    def weights(self, x: Tensor) -> Tensor:
        """Who looks at whom: (N, heads, L, L), each row a softmax."""
        q, k, _ = self.queries_keys_values(x)
        scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        return scores.masked_fill(scores.new_ones(scores.shape[-2:]).triu(1) > 0, -1e9).softmax(-1)


class Block(nn.Module):
    """Attention and a gated layer, each added to the stream of what was normalised before it."""

    def __init__(self, width: int, heads: int, length: int) -> None:
        super().__init__()
        inner = int(WIDENING * width)
        self.norm1, self.norm2 = nn.RMSNorm(width), nn.RMSNorm(width)
        self.attention = SelfAttention(width, heads, length)
        self.up = nn.Linear(width, 2 * inner, bias=False)
        self.gate = nn.SwiGLU()
        self.down = nn.Linear(inner, width, bias=False)
        for layer in (self.attention.out, self.down):
            nn.init.normal_(layer.weight, std=START)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x))
        return x + self.down(self.gate(self.up(self.norm2(x))))


class Transformer(nn.Module):
    """From numbers of characters (N, L) to the logits of the next ones (N, characters, L).

    The table that embeds the characters also tells them apart at the end.
    """

    def __init__(self, characters: int, width: int, heads: int, blocks: int, length: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(characters, width)
        self.blocks = nn.ModuleList(Block(width, heads, length) for _ in range(blocks))
        self.norm = nn.RMSNorm(width)
        self.project = functional.linear
        nn.init.normal_(self.embedding.weight, std=START)

    def forward(self, x: Tensor) -> Tensor:
        stream = self.embedding(x)
        for block in self.blocks:
            stream = block(stream)
        return self.project(self.norm(stream), self.embedding.weight).movedim(-1, 1)
