"""Where a package applies its Functions, and in what function: that is often the thing to check."""

import ast
from collections import defaultdict
from collections.abc import Iterator

from torchref.auditor.scan.found import Application
from torchref.auditor.scan.names import Definition, Module, Scope, Sources
from torchref.auditor.scan.rules import is_function


def applications(sources: Sources) -> dict[Definition, list[Application]]:
    """Every `.apply` of a Function in the scanned files, and every call of a name bound to one."""
    found: dict[Definition, list[Application]] = defaultdict(list)
    for module in sources.scanned:
        for function, application in _in_module(module, sources):
            if application not in found[function]:
                found[function].append(application)
    return found


def _in_module(module: Module, sources: Sources) -> Iterator[tuple[Definition, Application]]:
    for statement, scope in module.scopes.items():
        if isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in _nodes_of(statement, module):
            if isinstance(node, ast.Attribute) and node.attr == "apply":
                function = _applied(node, scope, sources)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                function = _bound_apply(node.func, scope, sources)
            else:
                continue
            if function is not None:
                wrapper = _wrapper(statement, scope)
                yield function, Application(module.source.path, node.lineno, wrapper)


def _nodes_of(statement: ast.AST, module: Module) -> Iterator[ast.AST]:
    """The nodes of one statement, without the statements inside it: they come by themselves."""
    for child in ast.iter_child_nodes(statement):
        if child not in module.scopes:
            yield child
            yield from _nodes_of(child, module)


def _applied(node: ast.Attribute, scope: Scope, sources: Sources) -> Definition | None:
    if isinstance(node.value, ast.Name) and node.value.id == "cls":
        owner = _class_around(scope)
        found = sources.resolve(ast.Name(owner), scope) if owner else None
    else:
        found = sources.resolve(node.value, scope)
    return found if isinstance(found, Definition) and is_function(found, sources) else None


def _bound_apply(name: ast.Name, scope: Scope, sources: Sources) -> Definition | None:
    """The Function of a call `swish(x)`, where `swish = Swish.apply` stands before."""
    at: Scope | None = scope
    while at is not None:
        for binding in at.names.get(name.id, ()):
            if isinstance(binding, ast.Attribute) and binding.attr == "apply":
                return _applied(binding, at, sources)
        if name.id in at.names:
            return None
        at = at.parent
    return None


def _class_around(scope: Scope) -> str | None:
    parts = [part for part in scope.prefix.split(".") if part]
    return parts[-3] if len(parts) > 2 and parts[-1] == "<locals>" else None


def _wrapper(statement: ast.AST, scope: Scope) -> str | None:
    """The address of what applies it: a function, or the name that a module gives to `.apply`."""
    address = scope.module.source.address
    if scope.prefix:
        inside = scope.prefix.removesuffix(".").removesuffix(".<locals>")
        return f"{address}:{inside}"
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return f"{address}:{statement.targets[0].id}"
    return None
