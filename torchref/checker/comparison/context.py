"""What compared gradients were computed from, as far as it was told or can be seen."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from torchref.checker.comparison.given import as_tensor
from torchref.checker.comparison.pairs import in_double
from torchref.checker.execution.arithmetic import is_differentiable
from torchref.errors import InputError


@dataclass(frozen=True)
class Background:
    """Tensors and numbers that may take part in a diagnosis, each by what it is.

    `known` are numbers that the user gave, `sizes` those seen in shapes: a factor that equals one
    of `known` comes from it, one that equals a size may.
    """

    values: Mapping[str, Tensor]
    indices: Mapping[str, Tensor]
    known: Mapping[str, float]
    sizes: Mapping[str, float]
    parameters: Mapping[str, Tensor]


def background(
    given: Mapping[str, Any] | None,
    parameters: dict[str, Tensor],
    gradients: Mapping[str, Iterable[Tensor | None]],
) -> Background:
    """Sort what was given, and collect every size in sight, the user's own first."""
    if given is not None and not isinstance(given, Mapping):
        raise InputError(
            "values must be a mapping from names to tensors, arrays or numbers",
            f"an object of type {type(given).__name__} arrived",
            'Write values={"x": x, "batch": 32}.',
        )
    known: dict[str, float] = {}
    tensors: dict[str, Tensor] = {}
    for name, value in (given or {}).items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            known[_called(str(name))] = float(value)
        else:
            tensors[str(name)] = _tensor(value, str(name))
    phrases: dict[float, str] = {}
    for name, tensor in tensors.items():
        _see(phrases, name, tensor)
    for name, sides in gradients.items():
        for gradient in sides:
            if gradient is not None:
                _see(phrases, name, gradient)
    for what, number in known.items():
        for size, phrase in list(phrases.items()):
            phrases.setdefault(number * size, f"{what} times {phrase}")
    return Background(
        parameters | {name: x for name, x in tensors.items() if is_differentiable(x)},
        {name: x for name, x in tensors.items() if not is_differentiable(x)},
        known,
        {phrase: size for size, phrase in phrases.items()},
        parameters,
    )


def _tensor(value: Any, name: str) -> Tensor:
    if value is None or isinstance(value, str):
        raise InputError(
            "values must hold tensors, arrays or numbers",
            f"{name} is {'None' if value is None else 'a string'}",
            "Leave it out, or give the tensor itself.",
        )
    x = as_tensor(value, f"values, {name}")
    return in_double(x) if is_differentiable(x) else x


def _see(phrases: dict[float, str], name: str, x: Tensor) -> None:
    for dim, size in enumerate(x.shape):
        phrases.setdefault(float(size), f"the size of {name} along dimension {dim}")
    phrases.setdefault(float(x.numel()), f"the number of entries of {name}")


def _called(name: str) -> str:
    """`the batch`, but `N`."""
    return f"the {name}" if name.islower() and len(name) > 1 else name
