"""The changes that docs/recipes.md shows, made on a copy of the house."""

import re
import shutil
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

HOUSE = Path(__file__).parent.parent
EXAMPLE = re.compile(r"^## (.*?)\n\n```diff\n(.*?)^```", re.DOTALL | re.MULTILINE)
COPIED = (
    "torchref",
    "experiments",
    "tests/corpora/rows.py",
    "tests/corpora/wrong_ops",
    "tests/checker",
    "tests/ops",
    "tests/random_inputs.py",
    "docs/experiments.md",
    "pyproject.toml",
)


@dataclass(frozen=True)
class Change:
    """Lines of a file that stand there before, and those that stand in their place after."""

    file: str
    before: str
    after: str

    def make(self, house: Path) -> None:
        path = house / self.file
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if self.before:
            found = f"\n{text}".count(f"\n{self.before}")
            assert found == 1, f"{self.file} has these lines {found} times:\n{self.before}"
            text = f"\n{text}".replace(f"\n{self.before}", f"\n{self.after}")[1:]
        else:
            text += self.after
        path.write_text(text, encoding="utf-8")


def examples() -> dict[str, tuple[Change, ...]]:
    """By the title of the recipe the changes of its example."""
    page = (HOUSE / "docs" / "recipes.md").read_text(encoding="utf-8")
    return {title: tuple(_changes(diff)) for title, diff in EXAMPLE.findall(page)}


def _changes(diff: str) -> list[Change]:
    changes = []
    for part in re.split(r"^\+\+\+ ", diff, flags=re.MULTILINE)[1:]:
        file, _, rest = part.partition("\n")
        for separates, lines in groupby(rest.splitlines(), lambda line: line == "@@"):
            if not separates:
                kept = [(line[:1], f"{line[1:]}\n") for line in lines]
                before = "".join(line for mark, line in kept if mark != "+")
                after = "".join(line for mark, line in kept if mark != "-")
                changes.append(Change(file, before, after))
    return changes


def copy_of_the_house(into: Path) -> Path:
    for name in COPIED:
        source, target = HOUSE / name, into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return into
