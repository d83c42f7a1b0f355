"""A log point, as a callback of one's own sees it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Real

from torch.nn import Module

from torchref.errors import InputError


@dataclass
class LogPoint:
    """Where a training is, its model, and what has been measured of it.

    gradients  whose model it is: "handwritten", "sweep" or "torch"
    scalars    by their tags, as "loss/train"
    """

    epoch: int
    step: int
    gradients: str
    model: Module
    scalars: Mapping[str, float]
    is_last: bool = field(default=False, init=False)

    def stop(self) -> None:
        """The training ends after this log point."""
        self.is_last = True

    def scalars_of(self, callback: "Callback") -> dict[str, float]:
        """Raises `InputError` where the callback returns something else than scalars by tags."""
        found = callback(self)
        if found is None:
            return {}
        if not (
            isinstance(found, Mapping)
            and all(isinstance(k, str) and isinstance(v, Real) for k, v in found.items())
        ):
            raise InputError(
                "A callback must return nothing, or numbers by the tags to log them under",
                f"{found!r} arrived",
                'Return {"my/norm": norm.item()}, say.',
            )
        return {tag: float(value) for tag, value in found.items()}


Callback = Callable[[LogPoint], Mapping[str, float] | None]
