"""Numbers that a call leaves at their defaults: made arguments, so that they are varied too."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from torch.autograd import Function
from torch.nn import Module


def defaults_left_out(
    candidate: Any,
    reference: Any,
    inputs: Sequence[Any] | Mapping[str, Any] | None,
    kwargs: Mapping[str, Any] | None,
) -> dict[str, float]:
    """By name the floating-point defaults that candidate and reference have in common.

    A factor β is not seen where β = 1. Whole numbers and flags, which often choose another
    function, stay as they are.
    """
    left_out = _defaults(candidate, inputs, kwargs)
    if reference is None:
        return left_out
    its = _defaults(reference, inputs, kwargs)
    return {name: value for name, value in left_out.items() if its.get(name) == value}


def _defaults(
    function: Any,
    inputs: Sequence[Any] | Mapping[str, Any] | None,
    kwargs: Mapping[str, Any] | None,
) -> dict[str, float]:
    parameters = _parameters(function)
    by_name = {*(kwargs or {}), *(inputs if isinstance(inputs, Mapping) else ())}
    by_place = len(inputs) if isinstance(inputs, Sequence) else 0
    return {
        parameter.name: parameter.default
        for parameter in parameters[by_place:]
        if isinstance(parameter.default, float)
        and parameter.name not in by_name
        and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }


def _parameters(function: Any) -> list[inspect.Parameter]:
    owner = getattr(function, "__self__", None)
    function = owner if isinstance(owner, type) else function  # of a Function's apply
    takes_context = False
    if isinstance(function, type) and issubclass(function, Function):
        takes_context = function.setup_context is Function.setup_context
        function = function.forward
    elif isinstance(function, Module):
        function = function.forward
    try:
        return list(inspect.signature(function).parameters.values())[takes_context:]
    except (TypeError, ValueError):  # builtins show no signature
        return []
