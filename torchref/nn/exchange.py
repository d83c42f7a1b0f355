"""A model of torch's moved over to handwritten gradients, and back."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from inspect import isroutine
from types import ModuleType
from typing import Any

import torch
from torch.nn import Module

from torchref import functional
from torchref.errors import InputError
from torchref.nn import (
    activations,
    attention,
    composed,
    convolution,
    indexing,
    linear,
    losses,
    network,
    normalisation,
    pooling,
    recurrent,
)

ROOMS = (
    activations,
    attention,
    convolution,
    indexing,
    linear,
    losses,
    network,
    normalisation,
    pooling,
    recurrent,
)


def _is_of(room: ModuleType, kind: type) -> bool:
    return f"{kind.__module__}.".startswith(f"{room.__name__}.")


def _classes(library: Any) -> dict[type[Module], type[Module]]:
    """Each class of a library that has the name of a handwritten layer, and that layer."""
    return {
        vars(library)[name]: layer
        for room in ROOMS
        for name, layer in vars(room).items()
        if isinstance(layer, type) and isinstance(vars(library).get(name), type)
        if _is_of(room, layer)
    }


HANDWRITTEN = _classes(torch.nn) | _classes(composed)
FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    function: getattr(functional, name)
    for library, names in (
        (torch, ("relu", "sigmoid", "tanh")),
        (torch.nn.functional, functional.__all__),
        (composed, functional.__all__),
    )
    for name in names
    if isroutine(function := getattr(library, name, None))
}
COMPUTES_NOTHING = (
    *(torch.nn.Sequential, torch.nn.ModuleList, torch.nn.ModuleDict),
    *(torch.nn.ParameterList, torch.nn.ParameterDict),
    *(torch.nn.Identity, torch.nn.Flatten, torch.nn.Unflatten),
    # of attention, which reads its weight and never calls it
    torch.nn.modules.linear.NonDynamicallyQuantizableLinear,
    *(torch.nn.Transformer, torch.nn.TransformerEncoder, torch.nn.TransformerDecoder),
    network.SigmoidNetwork,
)


@dataclass(frozen=True)
class Exchange:
    """What was moved and what was left, by the names that `named_modules` gives.

    moved    the class that a module has now, or the function that an attribute has now
    left     why a module computes as it did
    """

    moved: Mapping[str, str]
    left: Mapping[str, str]

    def __str__(self) -> str:
        moved = [f"{count} {name}" for name, count in sorted(Counter(self.moved.values()).items())]
        lines = [f"moved: {', '.join(moved) or 'nothing'}"]
        for why in dict.fromkeys(self.left.values()):
            names = [name or "the model itself" for name, its in self.left.items() if its == why]
            shown = ", ".join(names[:3]) + f" and {len(names) - 3} more" * (len(names) > 3)
            lines.append(f"left: {shown}: {why}")
        return "\n".join(lines)


def handwritten(model: Module) -> Exchange:
    """Move a model of torch's layers over to handwritten gradients, in place.

    Every module whose class is one of `torch.nn` that has a handwritten twin gets that class, and
    every attribute that is such a function of `torch.nn.functional` that function. Parameters,
    buffers, hooks, names and the mode stay as they are, so that an optimizer goes on with them.
    Returns what was moved and what was left, and why: a class without a twin, a subclass with a
    `forward` of its own, and a user's own `forward`, in which functions of torch stay torch's.
    `by_torch` moves it back.

    >>> model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.GELU(), torch.nn.Hardtanh())
    >>> print(handwritten(model))
    moved: 1 GELU, 1 Linear
    left: 2: Hardtanh is not handwritten yet
    >>> print(by_torch(model))
    moved: 1 GELU, 1 Linear
    """
    return _exchange(model, HANDWRITTEN.get, FUNCTIONS, _why_torchs)


def by_torch(model: Module) -> Exchange:
    """Move a model of handwritten layers over to torch's own gradients, in place.

    The way back from `handwritten`. What torch has no layer or function for is composed of its
    operations, as `torchref.nn.composed` has it; what is not there either is left.
    """
    functions = {mine: torchs for torchs, mine in FUNCTIONS.items()}
    return _exchange(model, _torchs, functions, _why_handwritten)


def _torchs(kind: type[Module]) -> type[Module] | None:
    """torch's own class of a handwritten layer, by its name."""
    if not is_handwritten(kind):
        return None
    return getattr(composed, kind.__name__, None) or getattr(torch.nn, kind.__name__, None)


def _exchange(
    model: Module,
    exchanged: Callable[[type[Module]], type[Module] | None],
    functions: Mapping[Callable[..., Any], Callable[..., Any]],
    why_left: Callable[[type[Module]], str | None],
) -> Exchange:
    if not isinstance(model, Module):
        raise InputError(
            "the model must be a torch.nn.Module",
            f"an object of type {type(model).__name__} arrived",
            "Pass an instance: its layers are exchanged in place.",
        )
    moved, left = {}, {}
    for name, module in model.named_modules():
        kind = type(module)
        if (other := exchanged(kind)) is not None:
            module.__class__ = other
            moved[name] = other.__name__
        elif (why := why_left(kind)) is not None:
            left[name] = why
        for attribute, function in _functions(module, functions):
            setattr(module, attribute, functions[function])
            moved[f"{name}.{attribute}".lstrip(".")] = functions[function].__name__
    return Exchange(moved, left)


def _functions(
    module: Module, known: Mapping[Callable[..., Any], Callable[..., Any]]
) -> Iterator[tuple[str, Callable[..., Any]]]:
    for attribute, value in list(vars(module).items()):
        if callable(value) and not isinstance(value, Module | type) and _is_key(value, known):
            yield attribute, value


def _is_key(value: object, known: Mapping[Any, Any]) -> bool:
    try:
        return value in known
    except TypeError:  # not hashable
        return False


def _why_torchs(kind: type[Module]) -> str | None:
    """Why a class keeps its gradients; None where it has none, or where they are handwritten."""
    if kind in COMPUTES_NOTHING or is_handwritten(kind):
        return None
    if kind.__module__.startswith("torch.nn.modules."):
        return f"{kind.__name__} is not handwritten yet"
    inherited = next((base for base in kind.__mro__ if base in HANDWRITTEN), None)
    if inherited is not None:
        return f"{kind.__name__} is a {inherited.__name__} of another class, and may compute more"
    return f"functions that the forward of {kind.__name__} calls stay torch's"


def _why_handwritten(kind: type[Module]) -> str | None:
    if kind in COMPUTES_NOTHING or not is_handwritten(kind):
        return None
    return f"torch has no {kind.__name__}"


def is_handwritten(kind: type[Module]) -> bool:
    """Whether a class is one of the layers of `torchref.nn`, whose files are its modules."""
    here = __name__.rpartition(".")[0]
    return kind.__module__ == here or any(_is_of(room, kind) for room in ROOMS)
