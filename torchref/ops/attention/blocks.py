"""A matrix of queries and keys cut into blocks, and what is added up of them."""

from collections.abc import Iterator

import torch
from torch import Tensor


def cuts(length: int, size: int) -> list[range]:
    """Ranges of `size`, the last as long as what is left."""
    return [range(start, min(start + size, length)) for start in range(0, length, size)]


def seen(rows: range, columns: list[range], is_causal: bool) -> Iterator[range]:
    """The blocks of keys of which a query of the rows sees one."""
    return (block for block in columns if not is_causal or block.start < rows.stop)


def part(x: Tensor, rows: range) -> Tensor:
    return x.narrow(-2, rows.start, len(rows))


def part_of_mask(mask: Tensor | None, rows: range, columns: range) -> Tensor | None:
    """The part for a block; an only row or column is that of every block."""
    if mask is None:
        return None
    mask = mask if mask.shape[-2] == 1 else part(mask, rows)
    return mask if mask.shape[-1] == 1 else mask.narrow(-1, columns.start, len(columns))


class SumOfBlocks:
    """A gradient like x, cut in its rows or in rows and columns, of which a block grows at a time.

    An only row or column belongs to all blocks.
    """

    def __init__(self, x: Tensor, rows: list[range], columns: list[range] | None = None) -> None:
        self.rows = [range(1)] if x.shape[-2] == 1 else rows
        self.columns = [range(x.shape[-1])] if columns is None or x.shape[-1] == 1 else columns
        self.whole = x
        self.blocks = {
            (row.start, column.start): x.new_zeros(*x.shape[:-2], len(row), len(column))
            for row in self.rows
            for column in self.columns
        }

    def add(self, block: Tensor, rows: range, columns: range | None = None) -> None:
        row = rows.start if len(self.rows) > 1 else 0
        column = columns.start if columns is not None and len(self.columns) > 1 else 0
        sum_before = self.blocks[row, column]
        self.blocks[row, column] = sum_before + block.sum_to_size(sum_before.shape)

    def joined(self) -> Tensor:
        if not self.blocks:
            return torch.zeros_like(self.whole)
        lines = [
            torch.cat([self.blocks[row.start, column.start] for column in self.columns], -1)
            for row in self.rows
        ]
        return torch.cat(lines, -2)
