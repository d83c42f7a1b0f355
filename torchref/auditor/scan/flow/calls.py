"""What a call gives, and what it does to its arguments."""

import ast
from collections.abc import Callable

from torchref.auditor.scan.flow.expressions import (
    Frame,
    escape,
    evaluate,
    made,
    new,
    short,
    view,
)
from torchref.auditor.scan.flow.record import Kept, Write
from torchref.auditor.scan.flow.tensor_calls import (
    AT_TIMES_ITSELF,
    FRESH,
    SEVERAL_VIEWS,
    TO_BE_FILLED,
    VIEWS,
    WITH_INDICES,
    WITHOUT_GRADIENT,
    WRITES_NOTHING,
    is_method,
    is_tensor_function,
)
from torchref.auditor.scan.flow.tensor_calls import PLAIN as PLAIN_NAMES
from torchref.auditor.scan.flow.value import PLAIN, UNKNOWN, Value, Values, one, only, tuple_of
from torchref.auditor.scan.names import Definition

BUILTINS = frozenset(
    [
        "len",
        "int",
        "float",
        "bool",
        "str",
        "isinstance",
        "hasattr",
        "range",
        "abs_",
        "id",
        "type",
        "print",
    ]
)
COLLECTS = frozenset(["append", "extend", "insert", "add", "update", "setdefault", "put"])

Resolve = Callable[[ast.expr], str | Definition | None]
Returns = Callable[[Definition, ast.Call, list[Values]], Values | None]


def call(node: ast.Call, frame: Frame, resolve: Resolve, returns: Returns) -> Values:
    """What the call gives; what it keeps and writes is entered into the record."""
    given = [evaluate(_bare(each), frame) for each in node.args]
    given += [evaluate(each.value, frame) for each in node.keywords]
    if isinstance(node.func, ast.Attribute) and _is_ctx(node.func.value, frame):
        return _of_ctx(node, node.func.attr, frame)
    handed_over = [*node.args, *(each.value for each in node.keywords)]
    frame.record.ctx_escapes |= any(_is_ctx(_bare(each), frame) for each in handed_over)
    found = resolve(node.func)
    if isinstance(found, str) and is_tensor_function(found):
        _see_out(node, frame)
        return _of_torch(node, found.rpartition(".")[2], given, frame)
    if isinstance(found, str) and found.startswith("torch.") and not found.startswith("torch.ops."):
        return UNKNOWN if found.rpartition(".")[2] not in PLAIN_NAMES else PLAIN
    if isinstance(node.func, ast.Attribute) and found is None:
        base = evaluate(node.func.value, frame)
        if node.func.attr in COLLECTS and not all(value.is_tensor for value in base):
            for values in given:
                escape(values, frame)
            return UNKNOWN
        if not all(value.kind in ("unknown", "plain", "none") for value in base):
            return _of_tensor(node, node.func.attr, base, given, frame)
    if isinstance(node.func, ast.Name) and found is None:
        if node.func.id in BUILTINS:
            return PLAIN
        if node.func.id in ("tuple", "list") and len(given) == 1:
            return given[0]
    _may_write(given, frame)
    if isinstance(found, Definition) and not isinstance(found.node, ast.ClassDef):
        known = returns(found, node, given)
        if known is not None:
            return known
    return _unseen(node, given, frame)


def item(values: Values, index: int, name: str, key: tuple[int, ...]) -> Values:
    """One part of what is taken apart."""
    value = only(values)
    if value is None:
        return UNKNOWN
    if value.kind == "saved tensors":
        return one(Value("saved", name, (*key, index), is_tensor=True))
    if value.kind in ("result", "output", "view"):
        key = (*value.key, index)
        return one(Value(value.kind, value.text, key, value.base, is_tensor=value.is_tensor))
    if value.kind == "tuple":
        return value.items[index] if index < len(value.items) else UNKNOWN
    return PLAIN if value.kind == "plain" else UNKNOWN


def _bare(node: ast.expr) -> ast.expr:
    return node.value if isinstance(node, ast.Starred) else node


def _is_ctx(node: ast.AST, frame: Frame) -> bool:
    return isinstance(node, ast.Name) and node.id == frame.ctx


def _of_ctx(node: ast.Call, method: str, frame: Frame) -> Values:
    if method == "mark_dirty":
        frame.record.marks_dirty = True
    if method == "save_for_backward":
        for each in node.args:
            values = evaluate(_bare(each), frame)
            if isinstance(each, ast.Starred):
                inner = only(values)
                for part in inner.items if inner is not None else ():
                    frame.record.kept.append(Kept(part, each, None))
            else:
                frame.record.kept.append(Kept(values, each, None))
    return UNKNOWN


def _see_out(node: ast.Call, frame: Frame) -> None:
    for keyword in node.keywords:
        if keyword.arg == "out":
            values = evaluate(keyword.value, frame)
            frame.record.writes.append(Write(values, node.lineno, f"out={short(keyword.value)}"))


def _of_torch(node: ast.Call, name: str, given: list[Values], frame: Frame) -> Values:
    if name in FRESH:
        return _fresh(node, name, frame)
    if given and node.args and (name in VIEWS or name in AT_TIMES_ITSELF or name in SEVERAL_VIEWS):
        return view(node, given[0], frame, perhaps_itself=name in AT_TIMES_ITSELF)
    if name.endswith("_") and given:
        _write(node, given[0], given[1:], frame)
        return given[0]
    _may_write([values for values in given if _is_out(node, values, frame)], frame)
    return _computed(node, name, given, frame)


def _fresh(node: ast.Call, name: str, frame: Frame) -> Values:
    values = new(node, [], frame)
    dtypes = [ast.unparse(each.value) for each in node.keywords if each.arg == "dtype"]
    if any(word in dtype for dtype in dtypes for word in ("int", "bool", "long")):
        frame.record.whole_numbers |= {value.key for value in values}
    elif name in TO_BE_FILLED:
        frame.record.to_be_filled |= {value.key for value in values}
    return values


def _is_out(node: ast.Call, values: Values, frame: Frame) -> bool:
    return any(
        each.arg == "out" and evaluate(each.value, frame) == values for each in node.keywords
    )


def _of_tensor(
    node: ast.Call, name: str, base: Values, given: list[Values], frame: Frame
) -> Values:
    if name in PLAIN_NAMES:
        return PLAIN
    if name in WRITES_NOTHING or name == "record_stream":
        return base
    if name in VIEWS or name in AT_TIMES_ITSELF or name in SEVERAL_VIEWS:
        return view(node, base, frame, perhaps_itself=name in AT_TIMES_ITSELF)
    if name in FRESH:
        return _fresh(node, name, frame)
    if not is_method(name):
        _may_write([base, *given], frame)
        return UNKNOWN
    if name.endswith("_"):
        _write(node, base, given, frame)
        return base
    return _computed(node, name, [base, *given], frame)


def _computed(node: ast.Call, name: str, operands: list[Values], frame: Frame) -> Values:
    if name in WITHOUT_GRADIENT:
        return made(node, operands, frame, depends=False)
    if name not in WITH_INDICES or not (node.args or node.keywords):
        return new(node, operands, frame)
    if not _takes_dim(node, name):
        return UNKNOWN
    return tuple_of([new(node, operands, frame, index=0), new(node, [], frame, index=1)])


def _takes_dim(node: ast.Call, name: str) -> bool:
    """Whether it gives indices as well: `max(x, y)` does not, and `x.max(y)` may not."""
    if name not in ("max", "min", "median", "mode"):
        return True
    return any(each.arg in ("dim", "axis") for each in node.keywords)


def _write(node: ast.Call, target: Values, given: list[Values], frame: Frame) -> None:
    frame.record.writes.append(Write(target, node.lineno, short(node)))
    depend(target, given, frame)


def depend(target: Values, given: list[Values], frame: Frame) -> None:
    """What is written into a new tensor is part of it from then on."""
    names = {name for values in given for name in frame.record.depends_on(values)}
    for value in target:
        key = value.root.key
        if key in frame.record.depends and key not in frame.record.whole_numbers:
            frame.record.depends[key] |= names


def _may_write(given: list[Values], frame: Frame) -> None:
    """A kernel fills the new tensors that it is handed."""
    waiting = frame.record.to_be_filled
    for values in given:
        roots = frozenset(value.root for value in values if value.root.key in waiting)
        depend(roots, given, frame)
        waiting -= {root.key for root in roots if frame.record.depends_on(one(root))}


def _unseen(node: ast.Call, given: list[Values], frame: Frame) -> Values:
    if isinstance(node.func, ast.Subscript) or len(given) < 2:  # of one, it may be that itself
        return UNKNOWN
    key = frame.key(node)
    depends = frame.record.depends.setdefault(key, set())
    for values in given:
        depends |= frame.record.depends_on(values)
    return one(Value("result", short(node), key))
