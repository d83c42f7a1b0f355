"""Entries, slices and rows taken by their numbers, and what puts gradients back there: sums."""

from torchref.ops.indexing.embedding import Embedding
from torchref.ops.indexing.entries import Gather, ScatterAdd
from torchref.ops.indexing.slices import IndexAdd, IndexSelect

__all__ = ["Embedding", "Gather", "IndexAdd", "IndexSelect", "ScatterAdd"]
