"""Which functions of torchref.functional and layers of torchref.nn apply an op."""

import re
from functools import cache
from types import FunctionType

from torchref import functional, nn
from torchref.cli.ops import used_by
from torchref.nn.exchange import is_handwritten
from torchref.ops import Op

NAMED = re.compile(r"\bfunctional\.(\w+)`")


@cache
def functions_of(op: str) -> list[str]:
    """The functions that apply it, by their code, or name it in their docstring."""
    functions = {name: vars(functional)[name] for name in functional.__all__}
    return [
        name
        for name, function in functions.items()
        if op in _ops_behind(function) or f"`torchref.ops.{op}`" in function.__doc__
    ]


@cache
def layers_of(op: str) -> list[str]:
    """The layers whose docstring names such a function."""
    functions = set(functions_of(op))
    layers = {name: vars(nn)[name] for name in nn.__all__}
    return [
        name
        for name, layer in layers.items()
        if isinstance(layer, type) and is_handwritten(layer)
        if functions & set(NAMED.findall(layer.__doc__ or ""))
    ]


def _ops_behind(function: FunctionType) -> set[str]:
    found: set[str] = set()
    seen: set[object] = set()
    todo: list[object] = [function]
    while todo:
        each = todo.pop()
        if isinstance(each, tuple):  # a function for each rank
            todo += each
        elif isinstance(each, type) and issubclass(each, Op):
            found.add(each.__name__)
        elif isinstance(each, FunctionType) and each not in seen:
            seen.add(each)
            if each.__module__.startswith(f"{functional.__name__}."):
                todo += used_by(each)
    return found
