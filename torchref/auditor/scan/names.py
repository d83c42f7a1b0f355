"""What a name stands for: definitions, imports and aliases, followed from file to file."""

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from torchref.auditor.scan.found import Skipped
from torchref.auditor.scan.sources import SourceFile

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(eq=False)
class Scope:
    """The names that a module, a class or a function binds."""

    module: "Module"
    prefix: str  # before the name of what is defined here, as in `__qualname__`
    parent: "Scope | None"
    is_class: bool = False
    names: dict[str, list["Binding"]] = field(default_factory=dict)

    @property
    def reachable(self) -> bool:
        return "<locals>" not in self.prefix


@dataclass(eq=False)
class Definition:
    """A class or a function, and where it stands."""

    node: ast.ClassDef | AnyFunction
    scope: Scope
    inner: Scope
    condition: str | None

    @property
    def qualname(self) -> str:
        return self.scope.prefix + self.node.name

    @property
    def dotted(self) -> str:
        return f"{self.scope.module.source.module}.{self.qualname}"

    @property
    def address(self) -> str:
        return f"{self.scope.module.source.address}:{self.qualname}"

    @property
    def path(self) -> Path:
        return self.scope.module.source.path


Binding = str | Definition | ast.expr  # what was imported, what is defined, another expression


class Module:
    """One parsed file: its scopes, and the scope of each node."""

    def __init__(self, source: SourceFile, tree: ast.Module) -> None:
        self.source = source
        self.top = Scope(self, "", None)
        self.stars: list[str] = []
        self.definitions: list[Definition] = []
        self.scopes: dict[ast.AST, Scope] = {}  # of each statement
        self._read(tree.body, self.top, None)

    def _read(self, body: list[ast.stmt], scope: Scope, condition: str | None) -> None:
        for statement in body:
            self.scopes[statement] = scope
            if isinstance(statement, ast.ClassDef | AnyFunction):
                self._define(statement, scope, condition)
            elif isinstance(statement, ast.Import | ast.ImportFrom):
                self._import(statement, scope)
            elif isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value:
                targets = (
                    statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                )
                for target in targets:
                    if isinstance(target, ast.Name):
                        scope.names.setdefault(target.id, []).append(statement.value)
            else:
                for blocks, under in _blocks(statement):
                    self._read(blocks, scope, under or condition)

    def _define(
        self, node: ast.ClassDef | AnyFunction, scope: Scope, condition: str | None
    ) -> None:
        is_class = isinstance(node, ast.ClassDef)
        prefix = f"{scope.prefix}{node.name}." + ("" if is_class else "<locals>.")
        definition = Definition(node, scope, Scope(self, prefix, scope, is_class), condition)
        scope.names.setdefault(node.name, []).append(definition)
        self.definitions.append(definition)
        self._read(node.body, definition.inner, None)

    def _import(self, statement: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                full, first = alias.name, alias.name.partition(".")[0]
                scope.names.setdefault(alias.asname or first, []).append(
                    full if alias.asname else first
                )
            return
        source = self._source_of(statement)
        for alias in statement.names:
            if alias.name == "*":
                self.stars.append(source)
            else:
                scope.names.setdefault(alias.asname or alias.name, []).append(
                    f"{source}.{alias.name}"
                )

    def _source_of(self, statement: ast.ImportFrom) -> str:
        if not statement.level:
            return statement.module or ""
        above = self.source.module.split(".")
        up = statement.level - (1 if self.source.is_package else 0)
        kept = above[: len(above) - up]
        return ".".join([*kept, *filter(None, [statement.module])])


class Sources:
    """The files of a package: parsed when they are asked for, and names followed among them."""

    def __init__(self, files: tuple[SourceFile, ...]) -> None:
        self._files = {each.module: each for each in reversed(files)}
        self._all = files
        self._modules: dict[Path, Module | None] = {}
        self.skipped: list[Skipped] = []

    @cached_property
    def scanned(self) -> tuple[Module, ...]:
        """The modules that are to be scanned."""
        wanted = (self._parsed(each) for each in self._all if each.wanted)
        return tuple(module for module in wanted if module is not None)

    def resolve(self, expr: ast.expr, scope: Scope, depth: int = 0) -> str | Definition | None:
        """What an expression of names and dots stands for: a dotted name where it leads away."""
        if depth > 20:
            return None
        if isinstance(expr, ast.Name):
            return self._name(expr.id, scope, depth + 1)
        if isinstance(expr, ast.Attribute):
            base = self.resolve(expr.value, scope, depth + 1)
            return self._inside(base, [expr.attr], depth + 1)
        return None

    def _name(self, name: str, scope: Scope | None, depth: int) -> str | Definition | None:
        first = scope
        while scope is not None:
            if name in scope.names and (scope is first or not scope.is_class):
                return self._bound(scope.names[name], scope, depth)
            if scope.parent is None:
                return self._among_stars(name, scope.module, depth)
            scope = scope.parent
        return None

    def _bound(self, bindings: list[Binding], scope: Scope, depth: int) -> str | Definition | None:
        for binding in bindings:
            if isinstance(binding, Definition):
                return binding
            found = (
                self._dotted(binding, depth)
                if isinstance(binding, str)
                else self.resolve(binding, scope, depth + 1)
            )
            if found is not None:
                return found
        return None

    def _among_stars(self, name: str, module: Module, depth: int) -> str | Definition | None:
        for star in module.stars:
            found = self._dotted(f"{star}.{name}", depth)
            if isinstance(found, Definition) or f"{star}.{name}".startswith("torch."):
                return found
        return None

    def _dotted(self, dotted: str, depth: int) -> str | Definition | None:
        if depth > 20:
            return None
        parts = dotted.split(".")
        for count in range(len(parts), 0, -1):
            module = ".".join(parts[:count])
            if module in self._files:
                return self._inside(module, parts[count:], depth + 1)
        return dotted

    def _inside(
        self, base: str | Definition | None, parts: list[str], depth: int
    ) -> str | Definition | None:
        if base is None or not parts or depth > 20:
            return base
        if isinstance(base, Definition):
            bindings = base.inner.names.get(parts[0]) if base.inner.is_class else None
            found = self._bound(bindings, base.inner, depth + 1) if bindings else None
            return self._inside(found, parts[1:], depth + 1)
        if base not in self._files:
            return self._dotted(".".join([base, *parts]), depth + 1)
        inner = f"{base}.{parts[0]}"
        module = self._parsed(self._files[base])
        if module is not None:
            found = self._name(parts[0], module.top, depth + 1)
            if found is not None and found != inner:
                return self._inside(found, parts[1:], depth + 1)
        if inner in self._files:
            return self._inside(inner, parts[1:], depth + 1)
        return None

    def _parsed(self, source: SourceFile) -> Module | None:
        if source.path not in self._modules:
            self._modules[source.path] = self._parse(source)
        return self._modules[source.path]

    def _parse(self, source: SourceFile) -> Module | None:
        try:
            with warnings.catch_warnings(action="ignore"):  # of escapes that Python deprecates
                tree = ast.parse(source.path.read_bytes())
            return Module(source, tree)
        except SyntaxError as error:
            line = f" (line {error.lineno})" if error.lineno else ""
            self._skip(source, f"it is not the Python of this interpreter{line}: {error.msg}")
        except ValueError as error:
            self._skip(source, f"it is no text: {error}")
        except OSError as error:
            self._skip(source, f"it cannot be read: {error.strerror}")
        except (RecursionError, MemoryError):
            self._skip(source, "its code is nested too deeply to be parsed")
        return None

    def _skip(self, source: SourceFile, why: str) -> None:
        if source.wanted:
            self.skipped.append(Skipped(source.path, why))


def _blocks(statement: ast.stmt) -> Iterator[tuple[list[ast.stmt], str | None]]:
    """The blocks of a compound statement, each with the condition under which it runs."""
    if isinstance(statement, ast.If):
        test = ast.unparse(statement.test)
        yield statement.body, f"if {test}"
        yield statement.orelse, f"if not ({test})"
    elif isinstance(statement, ast.Try | ast.TryStar):
        yield statement.body, None
        for handler in statement.handlers:
            caught = f" {ast.unparse(handler.type)}" if handler.type else ""
            yield handler.body, f"except{caught}"
        yield statement.orelse, None
        yield statement.finalbody, None
    elif isinstance(statement, ast.For | ast.AsyncFor | ast.While):
        yield statement.body, None
        yield statement.orelse, None
    elif isinstance(statement, ast.With | ast.AsyncWith):
        yield statement.body, None
    elif isinstance(statement, ast.Match):
        for case in statement.cases:
            yield case.body, None
