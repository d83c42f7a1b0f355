"""Arguments as `crosscheck` takes them, once they fit the signature of the candidate."""

import difflib
import inspect
from collections.abc import Sequence
from typing import Any

from torch.autograd import Function
from torch.nn import Module

from torchref.cli.input_expression.reading import Arguments
from torchref.errors import InputError


def signature(candidate: Any) -> inspect.Signature | None:
    """Of what is called with the inputs: of a Function without ctx; None where there is none."""
    if isinstance(candidate, type) and not _is_function(candidate):
        return None  # which crosscheck refuses
    owner: Any = getattr(candidate, "__self__", None)  # of the .apply of a Function
    function = owner if _is_function(owner) else candidate
    called = (
        function.forward if isinstance(function, Module) or _is_function(function) else function
    )
    try:
        signed = inspect.signature(called)
    except (TypeError, ValueError):  # builtins show none
        return None
    if _is_function(function) and function.setup_context is Function.setup_context:
        signed = signed.replace(parameters=list(signed.parameters.values())[1:])
    return signed


def _is_function(candidate: Any) -> bool:
    return isinstance(candidate, type) and issubclass(candidate, Function)


def fitted(candidate: Any, given: Sequence[Arguments], option: str) -> dict[str, Any]:
    """`inputs`, `samples` and `kwargs` for `crosscheck`.

    What is given by name is put in its place where it has one. Raises `InputError` for arguments
    that the candidate does not take.

    >>> def scaled(x, by=2.0):
    ...     return x * by
    >>> fitted(scaled, [Arguments((), {"by": 3.0, "x": 1.0})], "--inputs")
    {'inputs': (1.0, 3.0)}
    """
    signed = signature(candidate)
    placed = []
    for arguments in given:
        if signed is None:
            placed.append(arguments)
            continue
        try:
            bound = signed.bind(*arguments.positional, **arguments.named)
        except TypeError as error:
            raise _misfit(signed, arguments, option, str(error)) from None
        placed.append(Arguments(bound.args, bound.kwargs))
    first, *others = placed
    if not others:
        kwargs = {"kwargs": first.named} if first.named else {}
        return {"inputs": first.positional, **kwargs}
    if any(arguments.named for arguments in placed):
        names = sorted({name for arguments in placed for name in arguments.named})
        raise InputError(
            f"{option} given more than once must have arguments by place, one after the other",
            f"{', '.join(names)} arrived by name",
            "Give all arguments before it too.",
        )
    return {"inputs": first.positional, "samples": [each.positional for each in others]}


def _misfit(signed: inspect.Signature, arguments: Arguments, option: str, why: str) -> InputError:
    """Why they do not fit, and the name that was probably meant."""
    fix = "Give each by its place, or as NAME=..."
    for name in arguments.named:
        near = difflib.get_close_matches(name, list(signed.parameters), n=1, cutoff=0.5)
        if name not in signed.parameters and near:
            fix = f"Did you mean {near[0]}?"
    return InputError(f"{option} must fit the arguments {signed}", f"they do not: {why}", fix)


def example(candidate: Any) -> str:
    """An expression of inputs with the names of the arguments that must be given.

    >>> def scaled(x, bias, by: int, eps=1e-6):
    ...     return (x + bias) * by
    >>> example(scaled)
    'x=randn(4, 3), bias=randn(4, 3), by=1'
    """
    signed = signature(candidate)
    if signed is None:
        return "randn(4, 3)"
    needed = [
        each
        for each in signed.parameters.values()
        if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]
    return ", ".join(f"{each.name}={_value(each.annotation)}" for each in needed) or "randn(4, 3)"


def _value(annotation: Any) -> str:
    values = {"int": "1", "float": "1.0", "bool": "True", "str": "'...'"}
    return values.get(getattr(annotation, "__name__", str(annotation)), "randn(4, 3)")
