"""A kept call, called again: the Function or the custom op itself, with what the program gave."""

import inspect
from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.utils import _pytree as pytree

from torchref.auditor.recording.definition import custom_op_of
from torchref.auditor.recording.kept_call import KeptCall
from torchref.checker.execution.arithmetic import is_differentiable
from torchref.checker.execution.subject import argument_name, function_argument_names
from torchref.checker.promise import LAYOUTS, VARIED

ROUNDED = 2.0**-6  # relative: numbers of 16 bits are nearer to what they were


def candidate_of(call: KeptCall) -> Any:
    """What the cross-check calls: the Function itself where it can be."""
    op = custom_op_of(call.function)
    if op is None and not call.drew:
        return call.function

    def again(*args: Any, **kwargs: Any) -> Any:
        if call.drew:
            call.random.set()  # the numbers that it drew in the program
        return (call.function.apply if op is None else op)(*args, **kwargs)

    named = _names(call.function)
    again.__name__ = title(call.function)
    if named is not None:
        again.__signature__ = _signature(named)  # type: ignore[attr-defined]  # read by inspect
    return again


def applied(call: KeptCall) -> Callable[..., Any]:
    """What applies it."""
    candidate = candidate_of(call)
    return getattr(candidate, "apply", candidate)


def promised(call: KeptCall, has_reference: bool) -> dict[str, Any]:
    """What the cross-check must not hold against it, as further options.

    Without a reference nothing witnesses which other options a Function takes, nor what goes with
    what the program does not differentiate: filters of one family, a matrix and its factor.
    """
    held: dict[str, Any] = {}
    left_out = {LAYOUTS} if call.drew else set()  # other strides get other random numbers
    if not has_reference:
        left_out.add("options")
        held["domain"] = _keeps_what_is_not_differentiated(call)
    held["vary"] = tuple(kind for kind in VARIED if kind not in left_out)
    if custom_op_of(call.function) is not None:
        held["expect"] = {"forward-mode-wrong": "register_autograd takes no rule for it"}
    return held


def _keeps_what_is_not_differentiated(call: KeptCall) -> Callable[..., bool]:
    """Whether all that is not differentiated is as the program gave it, and so are the shapes.

    Where all tensors are differentiated, other shapes are no matter of what goes with them.
    """
    given = pytree.tree_leaves((call.args, call.kwargs))
    kept = [x for x, needs in zip(given, call.requires_grad, strict=True) if not needs]
    may_change_shape = not any(isinstance(x, Tensor) for x in kept)

    def keeps(*args: Any, **kwargs: Any) -> bool:
        leaves = pytree.tree_leaves((args, {name: kwargs[name] for name in call.kwargs}))
        return len(leaves) == len(given) and all(
            (may_change_shape or x.shape == before.shape) if needs else _is_as_before(x, before)
            for x, before, needs in zip(leaves, given, call.requires_grad, strict=True)
        )

    return keeps


def _is_as_before(x: Any, before: Any) -> bool:
    """The same up to a rounding to a lower precision."""
    if not isinstance(before, Tensor) or before.layout is not torch.strided:
        return type(x) is type(before)
    return x.shape == before.shape and torch.allclose(
        x.to(before.dtype), before, rtol=ROUNDED, atol=0, equal_nan=True
    )


def weighed(call: KeptCall) -> Callable[..., Tensor] | None:
    """Its outputs weighed by the cotangents that the program sent back; None where none came.

    The backward of this one number brings the Function just those, times a number.
    """
    if call.cotangents is None or not any(c is not None and c.any() for c in call.cotangents):
        return None
    apply, cotangents = applied(call), call.cotangents

    def outputs_weighed(*args: Any, **kwargs: Any) -> Tensor:
        args, kwargs = pytree.tree_map_only(
            Tensor, Tensor.clone, (args, kwargs)
        )  # to work in place
        outputs = pytree.tree_leaves(apply(*args, **kwargs))
        terms = [
            (y * c.conj()).real.sum() if y.is_complex() else (y * c).sum()
            for y, c in zip(outputs, cotangents, strict=True)
            if c is not None and isinstance(y, Tensor) and is_differentiable(y)
        ]
        return torch.stack(terms).sum()

    named = _names(call.function)
    outputs_weighed.__name__ = f"{title(call.function)} with the program's grad_output"
    if named is not None:
        outputs_weighed.__signature__ = _signature(named)  # type: ignore[attr-defined]  # likewise
    return outputs_weighed


def differentiated(call: KeptCall) -> list[str]:
    """The names of the arguments that required grad, as the cross-check has them."""
    names = _names(call.function)
    paths, _ = pytree.tree_flatten_with_path((call.args, call.kwargs))
    found = []
    for (path, _), requires_grad in zip(paths, call.requires_grad, strict=True):
        if requires_grad:
            place: Any = path[1]
            is_keyword = isinstance(place, pytree.MappingKey)
            name = str(place.key) if is_keyword else argument_name(place.idx, names)
            found.append(name + pytree.keystr(path[2:]))
    return found


def title(function: type[Function]) -> str:
    """What the cross-check calls it."""
    op = custom_op_of(function)
    return function.__name__ if op is None else f"{op._namespace}::{op._opname}"


def _names(function: type[Function]) -> tuple[str, ...] | None:
    op = custom_op_of(function)
    if op is None:
        return function_argument_names(function)
    return tuple(each.name for each in op._schema.arguments if not each.kwarg_only)


def _signature(names: tuple[str, ...]) -> Signature:
    kinds = (
        (
            name.rstrip("*"),
            Parameter.VAR_POSITIONAL if name[-1] == "*" else Parameter.POSITIONAL_ONLY,
        )
        for name in names
    )
    keywords = Parameter("further", Parameter.VAR_KEYWORD)
    return inspect.Signature([*(Parameter(*each) for each in kinds), keywords])
