"""A function followed from its first statement to its last."""

import ast
import re
from collections.abc import Iterable

from torchref.auditor.scan.flow import calls
from torchref.auditor.scan.flow.expressions import escape, evaluate, short
from torchref.auditor.scan.flow.record import Kept, Record, Write
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
from torchref.auditor.scan.names import AnyFunction, Definition, Sources

DEEPEST = 3  # helpers of helpers


def follow(
    definition: Definition,
    names: dict[str, Values],
    ctx: str | None,
    sources: Sources,
    depth: int = 0,
    depends: dict[tuple[int, ...], set[str]] | None = None,
) -> Record:
    """What the function keeps, writes and returns, if its arguments are these."""
    walk = _Walk(definition, dict(names), ctx, sources, depth)
    walk.record.depends.update(depends or {})
    assert not isinstance(definition.node, ast.ClassDef)
    walk.block(definition.node.body)
    return walk.record


class _Walk:
    def __init__(
        self,
        definition: Definition,
        names: dict[str, Values],
        ctx: str | None,
        sources: Sources,
        depth: int,
    ) -> None:
        self.definition, self.names, self.ctx = definition, names, ctx
        self.sources, self.depth = sources, depth
        self.record = Record()

    def key(self, node: ast.expr) -> tuple[int, ...]:
        ends = (node.end_lineno or 0, node.end_col_offset or 0)
        return (id(self.definition), node.lineno, node.col_offset, *ends)

    def call(self, node: ast.Call) -> Values:
        return calls.call(node, self, self._resolve, self._returns)

    def _resolve(self, expr: ast.expr) -> str | Definition | None:
        return self.sources.resolve(expr, self.definition.inner)

    def _returns(self, helper: Definition, node: ast.Call, given: list[Values]) -> Values | None:
        """What a helper of the package gives for these arguments, as far as its source shows."""
        assert not isinstance(helper.node, ast.ClassDef)
        bound = _bound(helper.node, node, given)
        if bound is None or self.depth >= DEEPEST or helper is self.definition:
            return UNKNOWN
        inner = follow(helper, bound, None, self.sources, self.depth + 1, self.record.depends)
        outcome = _joined([values for _, values in inner.returned])
        return _moved(outcome, inner, node, (self, helper))

    def block(self, statements: Iterable[ast.stmt]) -> bool:
        """Follow statements; whether what comes after them can be reached."""
        return all(self._statement(each) for each in statements)

    def _statement(self, node: ast.stmt) -> bool:
        match node:
            case ast.Return():
                values = evaluate(node.value, self) if node.value else NONE
                if node.value is not None:
                    self._see_unknown_output(node.value)
                self.record.returned.append((node, values))
                return False
            case ast.Raise() | ast.Continue() | ast.Break():
                return False
            case ast.Assign():
                values = evaluate(node.value, self)
                for target in node.targets:
                    self.assign(target, self._of_unseen(node.value, target, values))
            case ast.AnnAssign() if node.value is not None:
                self.assign(node.target, evaluate(node.value, self))
            case ast.AugAssign():
                self._augmented(node)
            case ast.Expr():
                evaluate(node.value, self)
            case ast.If():
                evaluate(node.test, self)
                return self._branches([node.body, node.orelse], _of_another_type(node.test))
            case ast.Try() | ast.TryStar():
                handlers = [handler.body for handler in node.handlers]
                self._branches([[*node.body, *node.orelse], *handlers])
                return self.block(node.finalbody)
            case ast.With() | ast.AsyncWith():
                for each in node.items:
                    evaluate(each.context_expr, self)
                    if each.optional_vars is not None:
                        self.assign(each.optional_vars, UNKNOWN)
                return self.block(node.body)
            case ast.For() | ast.AsyncFor():
                evaluate(node.iter, self)
                self._loop(node.target, node.body, node.orelse)
            case ast.While():
                evaluate(node.test, self)
                self._loop(None, node.body, node.orelse)
            case ast.Match():
                evaluate(node.subject, self)
                return self._branches([*(case.body for case in node.cases), []])
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._forget(node)
        return True

    def _branches(
        self, blocks: list[list[ast.stmt]], of_another_type: tuple[frozenset[str], ...] = ()
    ) -> bool:
        before, ends = self.names, []
        for at, block in enumerate(blocks):
            hidden = of_another_type[at] & before.keys() if of_another_type else frozenset()
            self.names = before | dict.fromkeys(hidden, UNKNOWN)
            if self.block(block):
                kept = {each: before[each] for each in hidden if self.names[each] is UNKNOWN}
                ends.append(self.names | kept)
        self.names = _merged(ends) if ends else before
        return bool(ends)

    def _loop(self, target: ast.expr | None, body: list[ast.stmt], after: list[ast.stmt]) -> None:
        for _ in range(2):  # what one round assigns, the next one reads
            before = dict(self.names)
            if target is not None:
                self.assign(target, UNKNOWN)
            self.block(body)
            self.names = _merged([before, self.names])
        self.block(after)

    def _forget(self, node: ast.stmt) -> None:
        """A function within may change, keep or give back whatever it names."""
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and each.id in self.names:
                escape(self.names[each.id], self)

    def _augmented(self, node: ast.AugAssign) -> None:
        right = evaluate(node.value, self)
        base = node.target.value if isinstance(node.target, ast.Subscript) else node.target
        values = evaluate(base, self)
        if all(value.kind == "plain" for value in values):
            return
        if isinstance(node.target, ast.Name) and not all(value.is_tensor for value in values):
            self.names[node.target.id] = UNKNOWN  # a number that is replaced, or a tensor
            return
        if isinstance(base, ast.Name | ast.Subscript):
            self._written(values, [right], node)

    def _written(self, values: Values, given: list[Values], node: ast.stmt) -> None:
        text = " ".join(ast.unparse(node).split())
        how = text if len(text) <= 60 else f"{text[:57]}..."
        self.record.writes.append(Write(values, node.lineno, how))
        calls.depend(values, given, self)

    def assign(self, target: ast.expr, values: Values) -> None:
        match target:
            case ast.Name():
                self.names[target.id] = values
            case ast.Tuple() | ast.List():
                starred = [isinstance(each, ast.Starred) for each in target.elts]
                for index, each in enumerate(target.elts):
                    known = not any(starred[: index + 1])
                    inner = each.value if isinstance(each, ast.Starred) else each
                    name = inner.id if isinstance(inner, ast.Name) else short(inner)
                    part = calls.item(values, index, name, self.key(target)) if known else UNKNOWN
                    self.assign(inner, part)
            case ast.Attribute():
                if isinstance(target.value, ast.Name) and target.value.id == self.ctx:
                    self.record.kept.append(Kept(values, target, target.attr))
                else:
                    escape(values, self)
            case ast.Subscript():
                base = evaluate(target.value, self)
                evaluate(target.slice, self)
                if all(value.is_tensor for value in base):
                    how = f"{short(target)} = ..."
                    self.record.writes.append(Write(base, target.lineno, how))
                    calls.depend(base, [values], self)
                else:
                    escape(values, self)

    def _of_unseen(self, source: ast.expr, target: ast.expr, values: Values) -> Values:
        """`x = f(x)` may leave x as it is, and so may `x, y = f(x, y)`."""
        value = only(values)
        if value is None or value.kind != "result":
            return values
        given = {each.id for each in ast.walk(source) if isinstance(each, ast.Name)}
        if isinstance(target, ast.Name):
            return UNKNOWN if target.id in given else values
        if not isinstance(target, ast.Tuple | ast.List):
            return values
        parts: list[Values] = []
        for index, each in enumerate(target.elts):
            named = each.id if isinstance(each, ast.Name) else ""
            part = calls.item(values, index, named, self.key(target))
            parts.append(UNKNOWN if named in given or isinstance(each, ast.Starred) else part)
        return tuple_of(parts)

    def _see_unknown_output(self, node: ast.expr) -> None:
        """What is named in an output that cannot be followed may be that output."""
        elements = node.elts if isinstance(node, ast.Tuple | ast.List) else [node]
        for each in elements:
            if any(value.kind in ("unknown", "result") for value in evaluate(each, self)):
                for named in ast.walk(each):
                    if isinstance(named, ast.Name) and named.id in self.names:
                        escape(self.names[named.id], self)


def _of_another_type(test: ast.expr) -> tuple[frozenset[str], frozenset[str]]:
    """The names that are perhaps no tensors where the test holds, and where it does not."""
    nothing: frozenset[str] = frozenset()
    asked = [
        node
        for node in ast.walk(test)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("isinstance", "type", "torch.is_tensor")
        and node.args
    ]
    names = frozenset(each.args[0].id for each in asked if isinstance(each.args[0], ast.Name))
    text = ast.unparse(test)
    negated = any(isinstance(node, ast.Not | ast.NotEq | ast.IsNot) for node in ast.walk(test))
    of_tensors = re.search(r"\b(Tensor|is_tensor)\b", text) is not None
    if not of_tensors and "Tensor" in text:  # DTensor and the like: a tensor in both cases
        return nothing, nothing
    return (nothing, names) if of_tensors != negated else (names, nothing)


def _merged(ends: list[dict[str, Values]]) -> dict[str, Values]:
    names = {name for end in ends for name in end}
    return {name: frozenset().union(*(end[name] for end in ends if name in end)) for name in names}


def _bound(node: AnyFunction, call: ast.Call, given: list[Values]) -> dict[str, Values] | None:
    """The arguments of a helper by its own names; None where stars hide them."""
    if any(isinstance(each, ast.Starred) for each in call.args) or any(
        each.arg is None for each in call.keywords
    ):
        return None
    positional = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
    if len(call.args) > len(positional):
        return None
    keywords = [str(each.arg) for each in call.keywords]
    bound = dict(zip([*positional[: len(call.args)], *keywords], given, strict=True))
    for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
        bound.setdefault(each.arg, PLAIN)  # its default
    return bound


def _joined(returned: list[Values]) -> Values:
    """What a function gives by all its returns."""
    tuples = [only(values) for values in returned]
    sizes = {len(value.items) for value in tuples if value is not None and value.kind == "tuple"}
    if len(sizes) == 1 and all(value is not None and value.kind == "tuple" for value in tuples):
        columns = zip(*(value.items for value in tuples if value is not None), strict=True)
        return tuple_of([frozenset().union(*column) for column in columns])
    if not returned or sizes:
        return UNKNOWN
    return frozenset().union(*returned)


def _moved(
    values: Values, inner: Record, call: ast.Call, between: tuple[_Walk, Definition], index: int = 0
) -> Values:
    """What came out of a helper, as the caller has it: told by the call, not by its inside."""
    outer, helper = between
    found: set[Value] = set()
    for value in values:
        if value.kind == "tuple":
            parts = enumerate(value.items)
            found |= tuple_of([_moved(part, inner, call, between, at) for at, part in parts])
        elif value.root.key[:1] == (id(helper),):
            key = (*outer.key(call), index)
            outer.record.depends[key] = inner.depends_on(one(value))
            kind = value.kind if value.kind == "result" else "made"
            found.add(Value(kind, short(call), key, is_tensor=value.is_tensor))
        else:
            found.add(value)
    return frozenset(found)
