"""Which Function a class is: its name, where it is written, and what its arguments are called."""

import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from torch.autograd import Function

OF_CUSTOM_OPS = "torch._library.autograd"  # where torch makes a Function of each custom op


@dataclass(frozen=True)
class Target:
    """A Function that tests apply; classes of one name and module are one Function."""

    name: str  # with its module; a custom op has its namespace, `mylib::swish`
    file: str | None
    line: int
    arguments: tuple[str, ...]

    @property
    def short_name(self) -> str:
        return self.name if "::" in self.name else self.name.rpartition(".")[2]

    def argument(self, index: int) -> str:
        """What the forward calls it."""
        inside = index < len(self.arguments)
        return self.arguments[index] if inside else f"argument {index}"


_known: WeakKeyDictionary[type[Function], Target] = WeakKeyDictionary()


def target_of(function: type[Function]) -> Target:
    """What a class is known by; the twin that an op has for forward mode is known as the op.

    >>> from torchref.ops import Affine
    >>> target_of(Affine).name, target_of(Affine).argument(1)
    ('torchref.ops.linear.affine.Affine', 'weight')
    >>> target_of(Affine._with_tangent) == target_of(Affine)
    True
    """
    if function not in _known:
        _known[function] = _described(function)
    return _known[function]


def subclasses(of: type[Function] = Function) -> Iterator[type[Function]]:
    """Every Function that is defined by now."""
    for each in of.__subclasses__():
        yield each
        yield from subclasses(each)


def attribute_of_backward(function: type[Function]) -> str | None:
    """`vjp` or `backward`, whichever the class gives; None where it gives neither."""
    for attribute in ("vjp", "backward"):
        if getattr(function, attribute) is not getattr(Function, attribute):
            return attribute
    return None


def _described(function: type[Function]) -> Target:
    name = f"{function.__module__}.{function.__qualname__}"
    attribute = attribute_of_backward(function)
    backward = inspect.unwrap(getattr(function, attribute or "backward"))
    if function.__module__ == OF_CUSTOM_OPS:
        held = _held_by(backward)
        if "op" in held and "info" in held:
            written = held["info"]._backward_fn
            schema = held["op"]._schema
            arguments = tuple(argument.name for argument in schema.arguments)
            return Target(schema.name, *_place(written or backward), arguments)
    module = getattr(sys.modules.get(function.__module__), "__file__", None)
    file, line = _place(backward)
    same_file = module is None or (file is not None and Path(file) == Path(module))
    return Target(name, file if same_file else module, line if same_file else 0, _names(function))


def _held_by(backward: Callable[..., Any]) -> dict[str, Any]:
    """What the closure of a generated backward holds, below the one for lists of tensors too."""
    held = dict(inspect.getclosurevars(backward).nonlocals)
    inner = held.get("orig_backward")
    return held if inner is None else held | _held_by(inner)


def _place(backward: Callable[..., Any]) -> tuple[str | None, int]:
    code = getattr(inspect.unwrap(backward), "__code__", None)
    return (None, 0) if code is None else (code.co_filename, code.co_firstlineno)


def _names(function: type[Function]) -> tuple[str, ...]:
    try:
        parameters = list(inspect.signature(function.forward).parameters.values())
    except (TypeError, ValueError):
        return ()
    takes_ctx = function.setup_context is Function.setup_context
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(each.name for each in parameters[int(takes_ctx) :] if each.kind in kinds)
