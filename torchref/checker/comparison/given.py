"""Gradients as they are handed over: mappings, sequences, arrays, a Module; each by a name."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from torchref.checker.execution.arithmetic import is_differentiable
from torchref.errors import InputError

Gradient = Tensor | None


@dataclass(frozen=True)
class Given:
    """One side of a comparison: its gradients in order.

    `named` is False where the names are positions; `parameters` are the values that the
    gradients belong to, where they are known.
    """

    gradients: Mapping[str, Gradient]
    named: bool
    parameters: Mapping[str, Tensor] = field(default_factory=dict)


def given_gradients(side: Any, called: str) -> Given:
    """The gradients of one side; `called` is how messages name it."""
    if isinstance(side, torch.nn.Module):
        return _of_module(side, called)
    single = side is not None and _is_array(side)
    found = {"gradient": side} if single else dict(_flattened(side, ""))
    gradients = {name: as_gradient(x, f"{called}, {name}") for name, x in found.items()}
    if not gradients:
        raise InputError(
            f"the {called} gradients must be at least one",
            f"an empty {type(side).__name__} arrived",
            "Pass a mapping or a sequence of tensors or arrays; a generator can be read only once.",
        )
    if all(gradient is None for gradient in gradients.values()):
        raise InputError(
            f"one of the {called} gradients at least must not be None",
            f"all {len(gradients)} of them are None",
            "Call loss.backward() first; what is no leaf keeps no .grad without retain_grad().",
        )
    return Given(gradients, named=isinstance(side, Mapping))


def pairs(manual: Given, reference: Given) -> dict[str, tuple[Gradient, Gradient]]:
    """The two gradients of each name: by name where both sides have names, else by order.

    A name that the manual side lacks has None there.
    """
    mine, its = manual.gradients, reference.gradients
    if not (manual.named and reference.named):
        if len(mine) != len(its):
            raise InputError(
                "without names on both sides there must be as many manual gradients as reference "
                "ones",
                f"{len(mine)} and {len(its)} arrived",
                "Pass mappings from names to gradients on both sides, or None for one not there.",
            )
        names = mine if manual.named else its
        return dict(zip(names, zip(mine.values(), its.values(), strict=True), strict=True))
    unknown = [name for name in mine if name not in its]
    if unknown:
        near = difflib.get_close_matches(unknown[0], its, n=1, cutoff=0.5)
        raise InputError(
            f"each manual gradient must have the name of a reference one, of {_listed(its)}",
            f"{_listed(unknown)} arrived",
            (f"Is {unknown[0]} {near[0]}? " if near else "")
            + "Name both sides alike, or pass both as lists in the same order.",
        )
    return {name: (mine.get(name), true) for name, true in its.items()}


def as_gradient(x: Any, called: str) -> Gradient:
    """A tensor or array as a dense tensor on the CPU, in its own dtype."""
    if x is None:
        return None
    if isinstance(x, Tensor):
        _refuse_parameter(x, called)
    tensor = as_tensor(x, called)
    if not is_differentiable(tensor):
        raise InputError(
            f"{called}: a gradient must be floating-point or complex",
            f"{str(tensor.dtype).removeprefix('torch.')} arrived",
            "Were its digits cut off by an integer array that it was written into? Compute it as "
            "float64.",
        )
    return tensor


def as_tensor(x: Any, called: str) -> Tensor:
    """Whatever holds numbers, as a dense tensor on the CPU, off the tape."""
    if not isinstance(x, Tensor):
        return _from_array(x, called)
    if x.is_meta:
        raise InputError(
            f"{called}: a tensor must have values",
            "one on the meta device arrived",
            "Compute it on a real device.",
        )
    x = x.detach()
    dense = x if x.layout is torch.strided else x.to_dense()
    return dense.cpu().resolve_conj().resolve_neg()


def _of_module(module: torch.nn.Module, called: str) -> Given:
    parameters = dict(module.named_parameters())
    if all(parameter.grad is None for parameter in parameters.values()):
        raise InputError(
            f"a Module given as the {called} side must hold gradients",
            f"none of the {len(parameters)} parameters of {type(module).__name__} has a .grad",
            "Call loss.backward() first, and zero_grad() only after the comparison.",
        )
    return Given(
        {
            name: as_gradient(parameter.grad, f"{called}, {name}")
            for name, parameter in parameters.items()
        },
        named=True,
        parameters={name: parameter.detach().cpu() for name, parameter in parameters.items()},
    )


def _is_array(x: Any) -> bool:
    return isinstance(x, Tensor | int | float | complex) or hasattr(x, "__array__")


def _flattened(side: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The gradients of nested mappings and sequences: `layer1.W`, `[0].W`, `[1][0]`."""
    if side is None or _is_array(side):
        yield path, side
    elif isinstance(side, Mapping):
        for name, inner in side.items():
            yield from _flattened(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(side, Iterable) and not isinstance(side, str | bytes):
        for place, inner in enumerate(side):
            yield from _flattened(inner, f"{path}[{place}]")
    else:
        raise InputError(
            "gradients must be a mapping or a sequence of tensors or numpy arrays, or a Module",
            f"an object of type {type(side).__name__} arrived" + (f" as {path}" if path else ""),
            'Write compare({"W1": grad_W1, ...}, {"W1": W1.grad, ...}).',
        )


def _refuse_parameter(x: Tensor, called: str) -> None:
    if isinstance(x, torch.nn.Parameter) or (x.requires_grad and x.is_leaf):
        raise InputError(
            f"{called}: a gradient must be given",
            "what requires one arrived: a parameter",
            "Pass its .grad.",
        )


def _from_array(x: Any, called: str) -> Tensor:
    if isinstance(x, int | float | complex) and not isinstance(x, bool):
        return torch.tensor(x, dtype=torch.complex128 if isinstance(x, complex) else torch.float64)
    array = np.asarray(x)
    try:
        # torch reads no foreign byte order, no negative strides and no memory that it may not write
        array = array.astype(array.dtype.newbyteorder("="), order="C", copy=not _readable(array))
        return torch.from_numpy(array)
    except TypeError:
        raise InputError(
            f"{called}: a gradient must be of a dtype that torch has",
            f"an array of dtype {array.dtype} arrived",
            "Convert it by .astype(np.float64); an array of objects often hides unequal shapes.",
        ) from None


def _readable(array: np.ndarray) -> bool:
    return array.flags.writeable and array.flags.c_contiguous


def _listed(names: Iterable[str], most: int = 6) -> str:
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
