"""What backward lacks: gradients it need not compute, a mark, their number, and what it writes."""

import ast
from collections.abc import Iterator

from torchref.auditor.scan.detached import DEEPEST, what_cuts_the_graph
from torchref.auditor.scan.flow.value import Value
from torchref.auditor.scan.found import Lack
from torchref.auditor.scan.names import Definition, Sources
from torchref.auditor.scan.reading import Reading, function_node

ASKED = ("needs_input_grad", "requires_grad", "is_leaf")


def backward_lacks(reading: Reading) -> Iterator[Lack]:
    """What the source shows that backward lacks, line by line."""
    rule = reading.rule
    if rule.backward is None:
        if rule.is_whole and rule.forward is not None:
            line = rule.definition.node.lineno
            sentence = "there is no backward: a derivative through it raises NotImplementedError."
            yield Lack("no backward", line, sentence, rule.definition.path)
        return
    if _only_raises(rule.backward):
        line = rule.backward.node.lineno
        sentence = "backward does nothing but raise: there is no derivative through it."
        yield Lack("no backward", line, sentence, rule.backward.path)
        return
    yield from _needs_input_grad(reading, rule.backward)
    if not is_once_differentiable(reading):
        cut = what_cuts_the_graph(rule.backward, reading)
        if cut is not None:
            sentence = f"{cut.what}: a second derivative is wrong, or raises."
            yield Lack("not once_differentiable", cut.line, sentence, rule.backward.path)
    yield from _number(reading, rule.backward)
    yield from _writes(reading, rule.backward)


def is_once_differentiable(reading: Reading) -> bool:
    """Whether backward says that it cannot be differentiated."""
    backward = reading.rule.backward
    return backward is not None and any(
        ast.unparse(each).rpartition(".")[2] == "once_differentiable"
        for each in function_node(backward).decorator_list
    )


def _only_raises(backward: Definition) -> bool:
    body = [
        each
        for each in backward.node.body
        if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
    ]
    return len(body) == 1 and isinstance(body[0], ast.Raise)


def _needs_input_grad(reading: Reading, backward: Definition) -> Iterator[Lack]:
    record, rule = reading.backward, reading.rule
    parts = [each for each in (backward, rule.forward, rule.setup_context) if each is not None]
    asks = any(_asks(part, reading.sources, ()) for part in parts)
    differentiable = reading.differentiable
    if record is None or record.ctx_escapes or asks or differentiable is None:
        return
    computed = {
        name
        for _, elements in reading.gradients
        for name, values in zip(rule.inputs, elements or (), strict=False)
        if any(value.root.kind not in ("none", "grad", "plain") for value in values)
    }
    if len(differentiable) > 1 and computed:
        names = [name for name in rule.inputs if name in computed]  # the rest passes through
        sentence = (
            f"backward computes the gradients of {', '.join(names)} whether or not they are "
            "needed: it reads no ctx.needs_input_grad."
        )
        yield Lack("ignores needs_input_grad", backward.node.lineno, sentence, backward.path)


def _asks(part: Definition, sources: Sources, above: tuple[Definition, ...]) -> bool:
    """Whether a function, or one that it calls, asks what needs a gradient."""
    handed_on = {
        node.value
        for node in ast.walk(part.node)
        if isinstance(node, ast.keyword) and node.arg == "requires_grad"
    }
    for node in ast.walk(part.node):
        if isinstance(node, ast.Attribute) and node.attr in ASKED and node not in handed_on:
            is_read = isinstance(node.ctx, ast.Load)
            if is_read and (not above or _is_given(node.value, part)):
                return True
        if isinstance(node, ast.Call) and len(above) < DEEPEST:
            helper = sources.resolve(node.func, part.inner)
            if not isinstance(helper, Definition) or isinstance(helper.node, ast.ClassDef):
                continue
            if helper not in above and _asks(helper, sources, (*above, part)):
                return True
    return False


def _is_given(expr: ast.expr, helper: Definition) -> bool:
    """Whether it is an argument of a helper: what it makes itself is beside the point."""
    given = {each.arg for each in ast.walk(function_node(helper).args) if isinstance(each, ast.arg)}
    return isinstance(expr, ast.Name) and expr.id in given


def _number(reading: Reading, backward: Definition) -> Iterator[Lack]:
    rule = reading.rule
    if rule.takes_any_number or rule.forward is None or rule.style == "custom op":
        return
    total = len(rule.inputs)
    for node, elements in reading.gradients:
        if elements is None:
            continue
        last = max(
            (at for at, values in enumerate(elements, 1) if any(v.kind != "none" for v in values)),
            default=0,
        )  # None beyond the inputs is allowed
        if len(elements) < rule.required or last > total:
            sentence = f"backward returns {len(elements)}, and forward takes {total}: torch raises."
            yield Lack("number of gradients", node.lineno, sentence, backward.path)


def _writes(reading: Reading, backward: Definition) -> Iterator[Lack]:
    record = reading.backward
    for write in record.writes if record is not None else ():
        roots = sorted({value.root for value in write.values}, key=lambda root: root.text)
        if roots and all(root.kind in ("grad", "saved") for root in roots):
            hedge = "perhaps " * any(value.may_be_a_copy for value in write.values)
            sentence = f"{write.how} writes {hedge}into {_named(roots[0])} in place."
            yield Lack("writes in place", write.line, sentence, backward.path)


def _named(root: Value) -> str:
    what = "the gradient that it receives" if root.kind == "grad" else "the saved tensor"
    return f"{what}, {root.text},"
