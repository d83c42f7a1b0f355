"""The Functions that a package defines, and the parts of each: forward, setup_context, backward."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from torchref.auditor.scan.found import Argument, Style
from torchref.auditor.scan.names import AnyFunction, Binding, Definition, Module, Sources

FUNCTIONS = frozenset(
    f"torch.autograd.{name}"
    for name in (
        "Function",
        "function.Function",
        "function.InplaceFunction",
        "function.NestedIOFunction",
    )
)
CUSTOM_OP = "torch.library.custom_op"
REGISTER = "torch.library.register_autograd"


@dataclass(frozen=True, eq=False)
class Rule:
    """A Function or a custom op, and its parts, wherever in the package they are defined."""

    definition: Definition
    style: Style
    forward: Definition | None
    setup_context: Definition | None
    backward: Definition | None
    is_whole: bool  # whether all bases are known: only then is a part missing that is not found
    mutates: bool = False  # a custom op that says so

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of what forward is applied to."""
        return tuple(each.name for each in self.arguments)

    @property
    def arguments(self) -> tuple[Argument, ...]:
        if self.forward is None:
            return ()
        assert not isinstance(self.forward.node, ast.ClassDef)
        return tuple(_arguments(self.forward.node, self.style == "forward(ctx, ...)"))

    @property
    def required(self) -> int:
        """How many inputs have no default."""
        return sum(each.default is None for each in self.arguments)

    @property
    def takes_any_number(self) -> bool:
        return self.forward is None or any(name.startswith("*") for name in self.inputs)


def rules_of(sources: Sources) -> Iterator[Rule]:
    """Every Function and custom op with a gradient that the scanned files define."""
    for module in sources.scanned:
        registered = dict(_registered(module, sources))
        for definition in module.definitions:
            if isinstance(definition.node, ast.ClassDef):
                line = _lineage(definition, sources)
                if line is not None:
                    yield _of_class(definition, *line, sources)
            elif definition in registered:
                yield _of_op(definition, registered[definition], sources)


def is_function(definition: Definition, sources: Sources) -> bool:
    """Whether a class is a Function."""
    return isinstance(definition.node, ast.ClassDef) and _lineage(definition, sources) is not None


def _lineage(
    definition: Definition, sources: Sources, below: tuple[Definition, ...] = ()
) -> tuple[list[Definition], bool] | None:
    """The class and its bases in the package, and whether that is all; None if no Function."""
    if definition.dotted in FUNCTIONS:
        return [], True
    if definition in below or not isinstance(definition.node, ast.ClassDef):
        return None
    line, is_function, is_whole = [definition], False, True
    for base in definition.node.bases:
        found = sources.resolve(base, definition.scope)
        if isinstance(found, Definition):
            above = _lineage(found, sources, (*below, definition))
            if above is not None:
                is_function = True
                line += above[0]
            else:
                line.append(found)
            is_whole &= above[1] if above is not None else _has_no_base(found)
        else:
            is_function |= found in FUNCTIONS
            is_whole &= found in FUNCTIONS or found == "object"
    return (line, is_whole) if is_function else None


def _has_no_base(definition: Definition) -> bool:
    return isinstance(definition.node, ast.ClassDef) and not definition.node.bases


def _of_class(
    definition: Definition, line: list[Definition], is_whole: bool, sources: Sources
) -> Rule:
    parts: dict[str, Definition | None] = {}
    for each in reversed(line):
        for name in ("forward", "setup_context", "backward", "vjp"):
            for binding in each.inner.names.get(name, ()):
                parts[name] = _part(binding, each, sources)
    style: Style = "setup_context" if "setup_context" in parts else "forward(ctx, ...)"
    return Rule(
        definition,
        style,
        parts.get("forward"),
        parts.get("setup_context"),
        parts.get("backward", parts.get("vjp")),
        is_whole and None not in parts.values(),
    )


def _part(binding: Binding, owner: Definition, sources: Sources) -> Definition | None:
    """The function that a class has as a part; None where the source does not show it."""
    if isinstance(binding, ast.Call) and ast.unparse(binding.func) == "staticmethod":
        binding = binding.args[0]
    found = sources.resolve(binding, owner.inner) if isinstance(binding, ast.expr) else binding
    is_function = isinstance(found, Definition) and not isinstance(found.node, ast.ClassDef)
    return found if isinstance(found, Definition) and is_function else None


def _of_op(op: Definition, call: ast.Call, sources: Sources) -> Rule:
    assert not isinstance(op.node, ast.ClassDef)
    named = {each.arg: each.value for each in call.keywords}
    positional = [each for each in call.args if not isinstance(each, ast.Constant)]
    by_name = isinstance(call.func, ast.Attribute) and call.args[:1] == positional[:1]
    rest = positional if by_name else positional[-1:]
    backward = named.get("backward", rest[0] if rest else None)
    parts = [
        sources.resolve(each, op.scope) if each is not None else None
        for each in (backward, named.get("setup_context"))
    ]
    found = [
        each if isinstance(each, Definition) and not isinstance(each.node, ast.ClassDef) else None
        for each in parts
    ]
    return Rule(op, "custom op", op, found[1], found[0], is_whole=True, mutates=_mutates(op.node))


def _mutates(node: AnyFunction) -> bool:
    said = [
        keyword.value
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call)
        for keyword in decorator.keywords
        if keyword.arg == "mutates_args"
    ]
    return not all(isinstance(each, ast.Tuple | ast.List) and not each.elts for each in said)


def _registered(module: Module, sources: Sources) -> Iterator[tuple[Definition, ast.Call]]:
    """The custom ops of a module, each with the call that registers its gradient."""
    ops = {
        name: definition
        for definition in module.definitions
        if (name := _name_of_op(definition, sources)) is not None
    }
    for statement, scope in module.scopes.items():
        call = statement.value if isinstance(statement, ast.Expr) else None
        if not isinstance(call, ast.Call):
            continue
        if isinstance(call.func, ast.Attribute) and call.func.attr == "register_autograd":
            op = sources.resolve(call.func.value, scope)
            if isinstance(op, Definition) and op in ops.values():
                yield op, call
                continue
        if sources.resolve(call.func, scope) == REGISTER and call.args:
            first = call.args[0]
            named = ops.get(str(first.value)) if isinstance(first, ast.Constant) else None
            op = named or sources.resolve(first, scope)
            if isinstance(op, Definition) and op in ops.values():
                yield op, call


def _name_of_op(definition: Definition, sources: Sources) -> str | None:
    if isinstance(definition.node, ast.ClassDef):
        return None
    for decorator in definition.node.decorator_list:
        if isinstance(decorator, ast.Call) and decorator.args:
            first = decorator.args[0]
            is_op = sources.resolve(decorator.func, definition.scope) == CUSTOM_OP
            if is_op and isinstance(first, ast.Constant):
                return str(first.value)
    return None


def _arguments(node: AnyFunction, takes_ctx: bool) -> Iterator[Argument]:
    given = node.args
    positional = [*given.posonlyargs, *given.args]
    defaults = [None] * (len(positional) - len(given.defaults)) + list(given.defaults)
    for each, default in list(zip(positional, defaults, strict=True))[1 if takes_ctx else 0 :]:
        yield _argument(each, default)
    if given.vararg is not None:
        yield _argument(given.vararg, None, "*")
    for each, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        yield _argument(each, default)
    if given.kwarg is not None:
        yield _argument(given.kwarg, None, "**")


def _argument(each: ast.arg, default: ast.expr | None, stars: str = "") -> Argument:
    return Argument(
        stars + each.arg,
        ast.unparse(each.annotation) if each.annotation else None,
        ast.unparse(default) if default is not None else None,
    )
