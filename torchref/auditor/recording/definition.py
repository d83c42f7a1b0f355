"""What a Function that was applied is called, where it is written, and how it is called again."""

import inspect
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

from torch.autograd import Function
from torch.utils import _pytree as pytree

OF_CUSTOM_OPS = "torch._library.autograd"  # the module of what register_autograd makes


@dataclass(frozen=True)
class Definition:
    """A Function by its module, name, file and line; of a custom op, those of its backward.

    Classes that one place makes again and again, as a `class` statement in a function does, have
    one definition.
    """

    module: str
    qualname: str
    file: str | None
    line: int | None
    is_custom_op: bool = False

    @property
    def is_of_torch(self) -> bool:
        """Whether torch itself defines it, as what a compiled function runs."""
        return self.module.split(".")[0] == "torch" and not self.is_custom_op

    @property
    def is_of_compiler(self) -> bool:
        """Whether torch defines it to run what it has traced or transformed."""
        return self.module.startswith(("torch._", "torch.fx."))


def key_of(function: type[Function]) -> tuple[str, str, CodeType | None]:
    """What the classes have in common that one definition makes."""
    return function.__module__, function.__qualname__, _code_of(function)


def definition_of(function: type[Function]) -> Definition:
    """Where a Function is defined.

    >>> from torchref.ops import Sigmoid
    >>> definition_of(Sigmoid).qualname
    'Sigmoid'
    """
    op = custom_op_of(function)
    if op is not None:
        name = f"{op._namespace}::{op._opname}"
        rule = getattr(_closed_over(function.forward, "info"), "_backward_fn", None)
        return Definition(name, name, *_place(_code(rule)), is_custom_op=True)
    file, line = _place(_code_of(function))
    with suppress(OSError, TypeError):  # of what was typed in, or made by type()
        file, line = inspect.getsourcefile(function), inspect.getsourcelines(function)[1]
    return Definition(function.__module__, function.__qualname__, file, line)


def custom_op_of(function: type[Function]) -> Any:
    """The operator whose autograd formula a Function was made of; None where it was not."""
    return _closed_over(function.forward, "op") if function.__module__ == OF_CUSTOM_OPS else None


def arguments_of(
    function: type[Function], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the program gave: to a custom op, without what torch adds to it."""
    if function.__module__ != OF_CUSTOM_OPS:
        return args, dict(kwargs)
    spec = getattr(args[-1], "input_spec", None)  # where there are lists of tensors among them
    given = args if spec is None else pytree.tree_unflatten(list(args[:-1]), spec)
    *places, metadata = given
    return tuple(places), dict(metadata.keyword_only_args)


def _closed_over(function: Callable[..., Any], name: str) -> Any:
    """A variable of the function around it, or of the function around one that it wraps."""
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    if name in cells:
        return cells[name].cell_contents
    wrapped = cells.get("orig_forward")  # what takes lists of tensors
    return None if wrapped is None else _closed_over(wrapped.cell_contents, name)


def _code_of(function: type[Function]) -> CodeType | None:
    return _code(function.backward) or _code(function.forward)


def _code(function: Any) -> CodeType | None:
    function = inspect.unwrap(function) if callable(function) else function
    return function.__code__ if isinstance(function, FunctionType) else None


def _place(code: CodeType | None) -> tuple[str | None, int | None]:
    return (None, None) if code is None else (code.co_filename, code.co_firstlineno)


def names_of(definitions: list[Definition]) -> list[str]:
    """The shortest names that tell them apart: module and line are told where they have to be.

    >>> here = Definition("a", "F", "a.py", 1)
    >>> names_of([here, Definition("b", "F", "b.py", 1)])
    ['a.F', 'b.F']
    """
    names = [each.qualname for each in definitions]
    longer = (
        lambda each: each.qualname if each.is_custom_op else f"{each.module}.{each.qualname}",
        lambda each: f"{each.module}.{each.qualname}:{each.line}",
    )
    for lengthen in longer:
        names = [
            lengthen(each) if names.count(name) > 1 else name
            for each, name in zip(definitions, names, strict=True)
        ]
    return names
