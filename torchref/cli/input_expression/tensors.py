"""The tensors that an expression may make, and what may be done with them, within a limit."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from torchref.errors import InputError

MOST_ENTRIES = 2**26  # of all tensors of one expression together: 256 MB in float32

NUMBERS = {"inf": math.inf, "nan": math.nan, "pi": math.pi}
DTYPES: dict[str, torch.dtype] = {
    name: getattr(torch, name)
    for name in (
        *("float16", "bfloat16", "float32", "float64", "half", "float", "double"),
        *("complex64", "complex128", "uint8", "int8", "int16", "int32", "int64", "int", "long"),
        *("bool", "float8_e4m3fn", "float8_e5m2"),
    )
}


@dataclass
class Source:
    """Where random tensors come from, and how many entries may still be made.

    >>> Source(torch.Generator()).claim(10**12)
    Traceback (most recent call last):
    torchref.errors.InputError: tensors must have at most 67,108,864 entries, all together, but \
1,000,000,000,000 are asked for. Give smaller sizes.
    """

    generator: torch.Generator
    left: int = MOST_ENTRIES

    def claim(self, entries: int) -> None:
        """Raise `InputError` for more entries than may still be made, before they are."""
        if entries > self.left:
            more = "" if self.left == MOST_ENTRIES else " beside those before"
            raise InputError(
                f"tensors must have at most {MOST_ENTRIES:,} entries, all together",
                f"{entries if entries < 10**18 else float(entries):,} are asked for{more}",
                "Give smaller sizes.",
            )
        self.left -= max(entries, 0)

    def sized(self, size: tuple[Any, ...]) -> tuple[int, ...]:
        """The size that stands as several whole numbers, or as one tuple or list of them."""
        given = size[0] if len(size) == 1 and isinstance(size[0], tuple | list) else size
        if any(isinstance(n, bool) or not isinstance(n, int) or n < 0 for n in given):
            raise InputError(
                "a size must have whole numbers that are not negative",
                f"{', '.join(map(str, given))} arrived",
                "Write randn(4, 3), or full((4, 3), 2.5).",
            )
        self.claim(math.prod(given))
        return tuple(given)


Dtype = torch.dtype | None


def randn(source: Source, *size: Any, dtype: Dtype = None) -> Tensor:
    return torch.randn(source.sized(size), generator=source.generator, dtype=dtype)


def rand(source: Source, *size: Any, dtype: Dtype = None) -> Tensor:
    return torch.rand(source.sized(size), generator=source.generator, dtype=dtype)


def randbool(source: Source, *size: Any) -> Tensor:
    return torch.rand(source.sized(size), generator=source.generator) < 0.5


def randint(
    source: Source, low: Any, high: Any, size: Any = None, *, dtype: Dtype = None
) -> Tensor:
    if size is None:
        low, high, size = 0, low, high  # as torch does
    size = source.sized((size,))
    return torch.randint(low, high, size, generator=source.generator, dtype=dtype or torch.int64)


def randperm(source: Source, n: int, *, dtype: Dtype = None) -> Tensor:
    (n,) = source.sized((n,))
    return torch.randperm(n, generator=source.generator, dtype=dtype or torch.int64)


def zeros(source: Source, *size: Any, dtype: Dtype = None) -> Tensor:
    return torch.zeros(source.sized(size), dtype=dtype)


def ones(source: Source, *size: Any, dtype: Dtype = None) -> Tensor:
    return torch.ones(source.sized(size), dtype=dtype)


def full(source: Source, size: Any, fill_value: Any, *, dtype: Dtype = None) -> Tensor:
    return torch.full(source.sized((size,)), fill_value, dtype=dtype)


def eye(source: Source, n: int, m: int | None = None, *, dtype: Dtype = None) -> Tensor:
    rows, columns = source.sized((n, n if m is None else m))
    return torch.eye(rows, columns, dtype=dtype)


def arange(
    source: Source, start: Any, end: Any = None, step: Any = 1, *, dtype: Dtype = None
) -> Tensor:
    if end is None:
        start, end = 0, start
    if step != 0:  # which torch refuses
        source.claim(math.ceil((end - start) / step))
    return torch.arange(start, end, step, dtype=dtype)


def linspace(source: Source, start: Any, end: Any, steps: int, *, dtype: Dtype = None) -> Tensor:
    (steps,) = source.sized((steps,))
    return torch.linspace(start, end, steps, dtype=dtype)


def tensor(source: Source, data: Any, *, dtype: Dtype = None) -> Tensor:
    made = torch.tensor(data, dtype=dtype)  # no more entries than the text has
    source.claim(made.numel())
    return made


MAKERS: dict[str, Callable[..., Tensor]] = {
    made_by.__name__: made_by
    for made_by in (
        *(randn, rand, randint, randbool, randperm, zeros, ones, full),
        *(tensor, eye, arange, linspace),
    )
}
METHODS = (
    *("abs", "exp", "log", "sqrt", "square", "sign", "sin", "cos", "tanh", "sigmoid", "relu"),
    *("round", "floor", "clamp", "softmax", "log_softmax", "cumsum", "tril", "triu", "flip"),
    *("to", "double", "float", "half", "bfloat16", "long", "int", "bool", "contiguous"),
    *("t", "transpose", "permute", "reshape", "view", "flatten", "unsqueeze", "squeeze", "expand"),
)
PROPERTIES = ("T", "mT")


def applied(source: Source, method: str, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """One of `METHODS` on a tensor; none of them but `expand` makes more entries than there are."""
    source.claim(x.numel())
    if method == "to" and not (len(args) == 1 and isinstance(args[0], torch.dtype) and not kwargs):
        raise InputError(
            "to must be given a dtype", "another thing arrived", "Write x.to(bfloat16)."
        )
    result: Tensor = getattr(Tensor, method)(x, *args, **kwargs)
    source.claim(result.numel() - x.numel())
    return result
