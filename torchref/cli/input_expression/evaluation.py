"""The values of an expression: its syntax tree is walked, and no code is run."""

import ast
import difflib
import inspect
import math
import operator
import warnings
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from torchref.cli.input_expression.tensors import (
    DTYPES,
    MAKERS,
    METHODS,
    NUMBERS,
    PROPERTIES,
    Source,
    applied,
)
from torchref.errors import InputError

MOST_DEPTH = 60  # of values within values
LARGEST = 2**63  # whole numbers of torch are smaller
BEFORE = "f("  # which the arguments of a call are parsed with
SHOWN = 60  # characters of what arrived

BINARY: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
UNARY: dict[type[ast.AST], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
}
ELSEWHERE = {
    "device": "Leave it out: --device says where.",
    "requires_grad": "Leave it out: all are differentiated, or those that --wrt names.",
    "generator": "Leave it out: --seed says what is drawn.",
}


class Evaluation:
    """The values of an expression's parts; `option` and `text` are what messages tell of."""

    def __init__(self, text: str, option: str, source: Source) -> None:
        self.text, self.option, self.source = text, option, source

    def value(self, node: ast.expr, depth: int = 0) -> Any:
        """What a part of the expression stands for."""
        if depth > MOST_DEPTH:
            raise self.refused(
                node, "nest values less deeply", f"{MOST_DEPTH} within each other will do."
            )
        inner = partial(self.value, depth=depth + 1)
        match node:
            case ast.Constant(
                value=bool() | int() | float() | complex() | str() | None as constant
            ):
                return self._bounded(node, constant)
            case ast.Tuple():
                return tuple(map(inner, node.elts))
            case ast.List():
                return list(map(inner, node.elts))
            case ast.Name() | ast.Attribute(value=ast.Name(id="torch")):
                return self._named(node)
            case ast.UnaryOp() if type(node.op) in UNARY:
                return self._computed(node, UNARY[type(node.op)], inner(node.operand))
            case ast.BinOp() if type(node.op) in BINARY:
                operands = inner(node.left), inner(node.right)
                return self._computed(node, BINARY[type(node.op)], *operands)
            case ast.Compare(ops=[op], comparators=[right]) if type(op) in BINARY:
                return self._computed(node, BINARY[type(op)], inner(node.left), inner(right))
            case ast.Attribute(attr=name) if name in PROPERTIES:
                x = self._tensor(node.value, inner(node.value))
                return self._tried(node, getattr, x, name)
            case ast.Subscript():
                x = self._tensor(node.value, inner(node.value))
                return self._tried(node, operator.getitem, x, self._index(node.slice))
            case ast.Call():
                return self._called(node, inner)
        raise self.refused(
            node,
            "be written with calls such as randn(4, 3), numbers, tuples and arithmetic",
            "There are no names of your own, and no code.",
        )

    def _named(self, node: ast.Name | ast.Attribute) -> Any:
        name = node.id if isinstance(node, ast.Name) else node.attr
        known = DTYPES | NUMBERS
        if name not in known:
            fix = _near(name, [*known, "None", "True", "False"])
            fix = f"A call has brackets: {name}(4, 3)." if name in MAKERS else fix
            raise self.refused(node, "name what there is: a dtype, inf, nan or pi", fix)
        return known[name]

    def _called(self, node: ast.Call, inner: Callable[[ast.expr], Any]) -> Any:
        given = [inner(argument) for argument in node.args]
        named: dict[str, Any] = {}
        for keyword in node.keywords:
            if keyword.arg is None or keyword.arg in ELSEWHERE:
                fix = ELSEWHERE.get(keyword.arg or "", "Leave out the **.")
                raise self.refused(node, f"have no {keyword.arg or '**'} in a call", fix)
            named[keyword.arg] = inner(keyword.value)
        match node.func:
            case ast.Name(id=name) | ast.Attribute(value=ast.Name(id="torch"), attr=name):
                if name in MAKERS:
                    self._require_plain(node, [*given, *named.values()])
                    return self._made(node, MAKERS[name], given, named)
                names = [*MAKERS, *METHODS]
            case ast.Attribute(value=value, attr=name):
                given = [self._tensor(value, inner(value)), *given]
                names = list(METHODS)
            case _:
                name, names = "", []
        if name not in METHODS:
            fix = _near(name, names)
            if name in PROPERTIES:
                fix = f"Write .{name} without brackets."
            raise self.refused(node, "call what there is", fix)
        if not given:
            raise self.refused(node, f"give {name} a tensor", f"Write {name}(randn(4, 3)).")
        self._tensor(node.args[0] if node.args else node, given[0])
        self._require_plain(node, [*given[1:], *named.values()])
        return self._tried(node, applied, self.source, name, *given, **named)

    def _made(
        self, node: ast.Call, maker: Callable[..., Tensor], given: list[Any], named: dict[str, Any]
    ) -> Tensor:
        try:
            inspect.signature(maker).bind(self.source, *given, **named)
        except TypeError as error:
            _, *parameters = inspect.signature(maker).parameters.values()
            form = ", ".join(
                "dtype=..." if each.name == "dtype" else str(each).partition(":")[0]
                for each in parameters
            )
            must = f"call {maker.__name__} as {maker.__name__}({form})"
            raise self.refused(node, must, f"{str(error).capitalize()}.") from None
        return self._tried(node, maker, self.source, *given, **named)

    def _computed(self, node: ast.expr, function: Callable[..., Any], *operands: Any) -> Any:
        for operand in operands:
            if not isinstance(operand, Tensor | int | float | complex):
                fix = "Numbers and tensors have arithmetic and comparisons."
                raise self.refused(node, "compute with numbers and tensors alone", fix)
        tensors = [x for x in operands if isinstance(x, Tensor)]
        if tensors:
            shape = self._tried(node, torch.broadcast_shapes, *(x.shape for x in tensors))
            self._tried(node, self.source.claim, math.prod(shape))
        elif function is operator.pow and abs(operands[1]) > 1000:
            raise self.refused(node, "have exponents of at most 1000", "Write the number itself.")
        return self._bounded(node, self._tried(node, function, *operands))

    def _bounded(self, node: ast.expr, value: Any) -> Any:
        if isinstance(value, int) and not -LARGEST <= value < LARGEST:
            raise self.refused(node, "have whole numbers of 64 bits", "Write 1e30 for a large one.")
        return value

    def _index(self, node: ast.expr) -> Any:
        match node:
            case ast.Tuple():
                return tuple(map(self._index, node.elts))
            case ast.Slice():
                ends = (node.lower, node.upper, node.step)
                return slice(*(None if end is None else self._index(end) for end in ends))
            case ast.Constant(value=int() | None) | ast.UnaryOp(operand=ast.Constant(value=int())):
                return self.value(node)
            case ast.Constant(value=value) if value is Ellipsis:
                return value
        raise self.refused(
            node, "have whole numbers, slices, ... and None as indices", "Write x[::2, 0]."
        )

    def _tensor(self, node: ast.expr, value: Any) -> Tensor:
        if not isinstance(value, Tensor):
            fix = "Tensors have methods and indices, numbers and tuples have none."
            raise self.refused(node, "have a tensor there", fix)
        return value

    def _require_plain(self, node: ast.expr, values: Iterable[Any]) -> None:
        """A call takes numbers, sizes and dtypes; a tensor only where it is what a method is of."""
        for value in values:
            if isinstance(value, tuple | list):
                self._require_plain(node, value)
            elif isinstance(value, Tensor | str):
                what = "string" if isinstance(value, str) else "tensor"
                raise self.refused(
                    node, f"give a call no {what} there", "It takes numbers, sizes, a dtype."
                )

    def _tried(
        self, node: ast.expr, function: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        try:
            with warnings.catch_warnings(action="error"):
                return function(*args, **kwargs)
        except InputError as error:
            must, arrived, fix = error.args
            raise InputError(
                f"{self.option}: {must}", f"{arrived} in {self._place(node)}", fix
            ) from None
        except Exception as error:
            told = str(error).strip().partition("\n")[0]
            raise InputError(
                f"{self.option} must be what torch can compute",
                f"{self._place(node)} is not: {told}",
                "Sizes, numbers and dtypes are those of torch.",
            ) from None

    def refused(self, node: ast.expr, must: str, fix: str) -> InputError:
        arrived = self._place(node, " arrived")
        return InputError(f"{self.option} must {must}", arrived, fix)

    def _place(self, node: ast.expr, arrived: str = "") -> str:
        line = f"{BEFORE}{self.text}".encode()
        before = len(line[: node.col_offset].decode()) - len(BEFORE)
        segment = line[node.col_offset : node.end_col_offset].decode()
        return f"{shown(segment)}{arrived} at character {before + 1}"


def shown(text: str) -> str:
    if not text.strip():
        return "nothing"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _near(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(names), n=3, cutoff=0.6)
    if near:
        return f"Did you mean {min(near, key=lambda each: abs(len(each) - len(name)))}?"
    return f"There are {', '.join(names)}."
