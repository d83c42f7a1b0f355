"""A model of the shape of GPT-2: 124 million parameters in its smallest size, all by hand."""

import torch
from torch import Tensor

import torchref.nn as nn
from torchref import functional

START = 0.02  # standard deviation of all weights


class Block(nn.Module):
    """Attention and a wide layer, each added to the stream of what was normalised before it."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.gelu = nn.GELU(approximate="tanh")
        self.attend = functional.scaled_dot_product_attention

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(self.norm1(x)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        seen = self.attend(q, k, v, is_causal=True)
        x = x + self.out(seen.transpose(1, 2).flatten(2))
        return x + self.down(self.gelu(self.up(self.norm2(x))))


class GPT2(nn.Module):
    """From tokens (N, L) and the next ones to the mean cross-entropy; the table is also the head.

    Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners".
    """

    def __init__(
        self,
        tokens: int = 50257,
        length: int = 1024,
        width: int = 768,
        heads: int = 12,
        blocks: int = 12,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(tokens, width)
        self.positions = nn.Embedding(length, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.loss = nn.CrossEntropyLoss()
        self.project = functional.linear
        for name, parameter in self.named_parameters():
            if name.endswith("weight") and parameter.dim() == 2:
                nn.init.normal_(parameter, std=START)

    def forward(self, tokens: Tensor, following: Tensor) -> Tensor:
        places = torch.arange(tokens.shape[1], device=tokens.device)
        stream = self.embedding(tokens) + self.positions(places)
        for block in self.blocks:
            stream = block(stream)
        logits = self.project(self.norm(stream), self.embedding.weight)
        return self.loss(logits.flatten(0, 1), following.flatten())
