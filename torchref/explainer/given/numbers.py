"""Inputs and targets of a command line: --x 0.1,0.2, or --x '0.1,0.2;0.3,0.4' of two examples."""

import math

import torch
from torch import Tensor

from torchref.errors import InputError


def examples_in(option: str, text: str, columns: int) -> Tensor:
    """A row for each example; raises `InputError` for what is no row of so many numbers."""
    try:
        rows = [[float(number) for number in row.split(",")] for row in text.split(";")]
    except ValueError:
        rows = []
    if not rows or any(len(row) != columns or not all(map(math.isfinite, row)) for row in rows):
        like = ",".join(["0.5"] * min(columns, 4)) + ",…" * (columns > 4)
        numbers = "one number" if columns == 1 else f"{columns} numbers with commas between"
        raise InputError(
            f"{option} must be {numbers} for an example, and semicolons between examples",
            f"{text!r} arrived",
            f"One example is {option} {like}; two are {option} '{like}; {like}'.",
        )
    return torch.tensor(rows, dtype=torch.float64)


def own_numbers(
    x: Tensor, target: Tensor, given: tuple[str | None, str | None]
) -> tuple[Tensor, Tensor]:
    """x and target, each as given or else as it is.

    Raises `InputError` for numbers that do not fit, and where there is not a target for each x.
    """
    kept = (x, target)
    names = ("--x", "--target")
    x, target = (
        own if text is None else examples_in(name, text, own.shape[1])
        for name, text, own in zip(names, given, kept, strict=True)
    )
    if len(x) != len(target):
        raise InputError(
            "--x and --target must have as many examples",
            f"there are {len(x)} and {len(target)}",
            "Give both, with a semicolon between two examples.",
        )
    return x, target
