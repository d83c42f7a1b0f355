"""The numbers that torchref/checker decides by, as the table of docs/thresholds.md.

    python -m tests.thresholds

writes the page anew. What a number is, the comment beside it says.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HOUSE = Path(__file__).parent.parent
CHECKER = HOUSE / "torchref" / "checker"
PAGE = HOUSE / "docs" / "thresholds.md"
HEAD = """\
# The numbers that the checker decides by

Every number with a name of its own in `torchref/checker`, with the comment that stands beside it.
`python -m tests.thresholds` writes this page, and a test holds it to the code.
"""
ROW = "| {} | {} | {} |"


@dataclass(frozen=True)
class Threshold:
    """One constant, or several that are assigned together."""

    names: tuple[str, ...]
    value: str
    comment: str

    def __str__(self) -> str:
        told = self.comment.replace("|", "\\|")
        return ROW.format(", ".join(f"`{name}`" for name in self.names), f"`{self.value}`", told)


def thresholds(source: str) -> Iterator[Threshold]:
    """The constants of a module that are numbers, or hold nothing else."""
    lines = source.splitlines()
    for node in ast.parse(source).body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = tuple(each.id for each in ast.walk(targets[0]) if isinstance(each, ast.Name))
        if all(name.isupper() for name in names) and _is_numeric(node.value):
            value = ast.get_source_segment(source, node.value) or ""
            yield Threshold(names, " ".join(value.split()), _comment(lines, node.lineno - 1))


def _comment(lines: list[str], place: int) -> str:
    """What stands beside a line, or else above it."""
    if beside := lines[place].partition("#")[2].strip():
        return beside
    above: list[str] = []
    while place and lines[place := place - 1].startswith("#"):
        above.insert(0, lines[place].removeprefix("#").strip())
    return " ".join(above)


def _is_numeric(value: ast.expr) -> bool:
    """Whether it is made of numbers, and of other constants beside them; keys may be anything."""
    inside = value.values if isinstance(value, ast.Dict) else [value]
    leaves = [
        node
        for part in inside
        for node in ast.walk(part)
        if isinstance(node, ast.expr)
        and not any(isinstance(child, ast.expr) for child in ast.iter_child_nodes(node))
    ]
    return any(map(_is_number, leaves)) and all(
        _is_number(leaf) or (isinstance(leaf, ast.Name) and leaf.id.isupper()) for leaf in leaves
    )


def _is_number(leaf: ast.expr) -> bool:
    return isinstance(leaf, ast.Constant) and type(leaf.value) in (int, float)


@cache
def by_file() -> dict[str, list[Threshold]]:
    """By the name of each file that has any, those that are in it."""
    found = {
        file.relative_to(CHECKER).as_posix(): list(thresholds(file.read_text(encoding="utf-8")))
        for file in sorted(CHECKER.rglob("*.py"))
    }
    return {name: each for name, each in found.items() if each}


def page() -> str:
    parts = [HEAD]
    for name, found in by_file().items():
        rows = [ROW.format("name", "value", "what it is"), ROW.format("---", "---", "---")]
        parts.append("\n".join([f"\n## {name}\n", *rows, *map(str, found), ""]))
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
