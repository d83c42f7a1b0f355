"""What convolutions and pooling are given beside tensors: a number, or one for each dimension."""

from collections.abc import Sequence
from numbers import Integral

from torch import Tensor

from torchref.functional.admission import require, shape

Sizes = int | Sequence[int]


def each(op: str, name: str, given: object, rank: int, least: int) -> tuple[int, ...]:
    """A whole number for each of the dimensions; one alone stands for all."""
    numbers = tuple(given) if isinstance(given, Sequence) else (given,)
    require(
        len(numbers) in (1, rank)
        and all(isinstance(number, Integral) and int(number) >= least for number in numbers),
        f"{op}: {name} must be a whole number of at least {least}, or a tuple of {rank}",
        f"{given!r} arrived",
        "One number counts for every dimension behind the channels.",
    )
    whole = tuple(map(int, numbers))
    return whole * rank if len(whole) == 1 else whole


def batched(op: str, input: Tensor, rank: int) -> Tensor:
    """(N, C, ...), whether or not there is an N."""
    require(
        input.dim() in (rank + 1, rank + 2) and all(size > 0 for size in input.shape[-rank - 1 :]),
        f"{op}: input must have {rank} dimensions behind its channels, none empty but the batch",
        f"it has shape {shape(input)}",
        f"It is (N, C, ...) or (C, ...), with {rank + 2} or {rank + 1} dimensions.",
    )
    return input if input.dim() == rank + 2 else input.unsqueeze(0)


def as_arrived(y: Tensor, input: Tensor) -> Tensor:
    """Without the dimension that `batched` put in front."""
    return y if y.dim() == input.dim() else y.squeeze(0)
