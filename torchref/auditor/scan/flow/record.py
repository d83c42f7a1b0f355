"""What a function does that its caller can notice: what it keeps, writes, marks and returns."""

import ast
from dataclasses import dataclass, field

from torchref.auditor.scan.flow.value import Value, Values

SITE = 5  # the length of a key that names a place in the source; parts of it have longer ones


@dataclass(frozen=True)
class Kept:
    """A tensor that goes to backward: by `save_for_backward`, or as an attribute of ctx."""

    values: Values
    expr: ast.expr
    attribute: str | None


@dataclass(frozen=True)
class Write:
    """A statement that changes a tensor in place."""

    values: Values
    line: int
    how: str


@dataclass
class Record:
    """All of it, in the order of the statements."""

    kept: list[Kept] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    returned: list[tuple[ast.Return, Values]] = field(default_factory=list)
    marks_dirty: bool = False
    ctx_escapes: bool = False  # to a function that may keep more
    depends: dict[tuple[int, ...], set[str]] = field(default_factory=dict)  # of what was made
    to_be_filled: set[tuple[int, ...]] = field(default_factory=set)  # by the call that gets it
    whole_numbers: set[tuple[int, ...]] = field(default_factory=set)  # they have no gradient
    escaped: set[tuple[int, ...]] = field(default_factory=set)  # into a list, a dict, an object

    def depends_on(self, values: Values) -> set[str]:
        """The inputs that something was computed from."""
        names: set[str] = set()
        for value in values:
            if value.kind in ("input", "grad", "saved", "output"):
                names.add(value.text)
            names |= self.depends.get(value.key, self.depends.get(value.key[:SITE], set()))
            names |= self.depends_on(frozenset([value.base])) if value.base else set()
            for item in value.items:
                names |= self.depends_on(item)
        return names

    def is_returned(self, value: Value) -> bool:
        """Whether it is an output itself, or may be one for all that the source shows."""
        out = (flat for _, values in self.returned for flat in _flat(values))
        return value.key in self.escaped or any(each == value for each in out)

    def returned_from(self, value: Value) -> Value | None:
        """The output that is a view or a copy of it."""
        out = (flat for _, values in self.returned for flat in _flat(values))
        return next((each for each in out if each.base is not None and each.root == value), None)


def _flat(values: Values) -> list[Value]:
    found = []
    for value in values:
        found.append(value)
        for item in value.items:
            found += _flat(item)
    return found
