"""What an expression may be, given what its names are."""

import ast
from typing import Protocol

from torchref.auditor.scan.flow.record import Record
from torchref.auditor.scan.flow.tensor_calls import PLAIN as PLAIN_NAMES
from torchref.auditor.scan.flow.tensor_calls import VIEWS
from torchref.auditor.scan.flow.value import (
    NONE,
    PLAIN,
    UNKNOWN,
    Value,
    Values,
    one,
    only,
    tuple_of,
)


class Frame(Protocol):
    """The function that the expression stands in."""

    names: dict[str, Values]
    record: Record
    ctx: str | None

    def key(self, node: ast.expr) -> tuple[int, ...]: ...
    def call(self, node: ast.Call) -> Values: ...
    def assign(self, target: ast.expr, values: Values) -> None: ...


def evaluate(node: ast.expr, frame: Frame) -> Values:
    """What the expression may be."""
    match node:
        case ast.Constant():
            return NONE if node.value is None else PLAIN
        case ast.Name():
            return frame.names.get(node.id, UNKNOWN)
        case ast.Tuple() | ast.List():
            return _display(node, frame)
        case ast.Attribute():
            return _attribute(node, frame)
        case ast.Subscript():
            return _subscript(node, frame)
        case ast.IfExp():
            evaluate(node.test, frame)
            return evaluate(node.body, frame) | evaluate(node.orelse, frame)
        case ast.BoolOp():
            return frozenset().union(*(evaluate(each, frame) for each in node.values))
        case ast.BinOp():
            return _operation(node, evaluate(node.left, frame), evaluate(node.right, frame), frame)
        case ast.UnaryOp():
            operand = evaluate(node.operand, frame)
            return PLAIN if isinstance(node.op, ast.Not) else made(node, [operand], frame)
        case ast.Compare():
            operands = [evaluate(each, frame) for each in (node.left, *node.comparators)]
            tests = ast.Is | ast.IsNot | ast.In | ast.NotIn
            if all(isinstance(op, tests) for op in node.ops):
                return PLAIN
            return made(node, operands, frame, depends=False)
        case ast.Call():
            return frame.call(node)
        case ast.NamedExpr():
            values = evaluate(node.value, frame)
            frame.assign(node.target, values)
            return values
        case ast.JoinedStr():
            return PLAIN
    return UNKNOWN


def made(node: ast.expr, operands: list[Values], frame: Frame, *, depends: bool = True) -> Values:
    """A new tensor if an operand is one; a number if all are."""
    if all(value.kind in ("plain", "none") for values in operands for value in values):
        return PLAIN
    if all(value.kind in ("plain", "unknown") for values in operands for value in values):
        return UNKNOWN
    is_tensor = any(value.is_tensor for values in operands for value in values)
    return new(node, operands if depends else [], frame, is_tensor=is_tensor)


def new(
    node: ast.expr,
    made_of: list[Values],
    frame: Frame,
    *,
    is_tensor: bool = True,
    index: int | None = None,
) -> Values:
    """A new tensor, and the inputs that it was made of."""
    key = (*frame.key(node), *(() if index is None else (index,)))
    depends = frame.record.depends.setdefault(key, set())
    for values in made_of:
        depends |= frame.record.depends_on(values)
    return one(Value("made", short(node), key, is_tensor=is_tensor))


def view(node: ast.expr, values: Values, frame: Frame, *, perhaps_itself: bool = False) -> Values:
    """Another tensor in the memory of each; what is no tensor stays what it is."""
    key = frame.key(node)
    return frozenset(
        value
        if value.kind in ("plain", "none", "unknown", "tuple", "saved tensors")
        else Value(
            "perhaps itself" if perhaps_itself else "view",
            short(node),
            key,
            value,
            is_tensor=True,
        )
        for value in values
    )


def short(node: ast.expr) -> str:
    """An expression as it is quoted."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _display(node: ast.Tuple | ast.List, frame: Frame) -> Values:
    items: list[Values] = []
    for each in node.elts:
        if not isinstance(each, ast.Starred):
            items.append(evaluate(each, frame))
            continue
        inner = only(evaluate(each.value, frame))
        if inner is None or inner.kind != "tuple":
            for named in ast.walk(node):
                if isinstance(named, ast.Name):
                    escape(frame.names.get(named.id, UNKNOWN), frame)
            return UNKNOWN
        items += inner.items
    return tuple_of(items)


def escape(values: Values, frame: Frame) -> None:
    """It goes where it can no longer be followed: it may be an output after all."""
    for value in values:
        frame.record.escaped.add(value.key)
        if value.base is not None:
            escape(one(value.base), frame)
        for item in value.items:
            escape(item, frame)


def _attribute(node: ast.Attribute, frame: Frame) -> Values:
    if isinstance(node.value, ast.Name) and node.value.id == frame.ctx:
        if node.attr in ("saved_tensors", "saved_variables"):
            return one(Value("saved tensors", is_tensor=True))
        return PLAIN if node.attr == "needs_input_grad" else UNKNOWN
    base = evaluate(node.value, frame)
    if node.attr in PLAIN_NAMES:
        return PLAIN
    if node.attr in VIEWS:
        return view(node, base, frame)
    return UNKNOWN


def _subscript(node: ast.Subscript, frame: Frame) -> Values:
    base = evaluate(node.value, frame)
    evaluate(node.slice, frame)
    value = only(base)
    if value is not None and value.kind == "saved tensors":
        return one(Value("saved", short(node), frame.key(node), is_tensor=True))
    if value is not None and value.kind == "output":  # a tensor, or several of them
        return one(Value("output", value.text, frame.key(node), is_tensor=True))
    if value is not None and value.kind == "tuple":
        index = _whole_number(node.slice)
        inside = index is not None and -len(value.items) <= index < len(value.items)
        return value.items[index] if inside and index is not None else UNKNOWN
    if any(each.kind in ("plain", "none", "unknown", "tuple", "result") for each in base):
        return UNKNOWN if value is None or value.kind != "plain" else PLAIN
    return view(node, base, frame) if _is_basic(node.slice) else made(node, [base], frame)


def _whole_number(node: ast.expr) -> int | None:
    try:
        found = ast.literal_eval(node)
    except ValueError:
        return None
    return found if isinstance(found, int) else None


def _is_basic(index: ast.expr) -> bool:
    """Whether an index gives a view: slices, numbers, None and an ellipsis."""
    parts = index.elts if isinstance(index, ast.Tuple) else [index]
    return all(isinstance(each, ast.Slice | ast.Constant) for each in parts)


def _operation(node: ast.BinOp, left: Values, right: Values, frame: Frame) -> Values:
    a, b = only(left), only(right)
    if a is not None and b is not None and "tuple" in (a.kind, b.kind):
        if isinstance(node.op, ast.Add) and a.kind == b.kind:
            return tuple_of([*a.items, *b.items])
        times = _whole_number(node.right)
        if isinstance(node.op, ast.Mult) and a.kind == "tuple" and times is not None:
            return tuple_of(list(a.items) * times)
    if any(value.kind in ("tuple", "saved tensors") for value in left | right):
        escape(left | right, frame)
        return UNKNOWN
    return made(node, [left, right], frame)
