"""The table of thresholds is what the code says, and leaves none out."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

from tests.thresholds import CHECKER, HOUSE, PAGE, by_file, page, thresholds

MODULES = sorted(CHECKER.rglob("*.py"))


def is_number(value: Any) -> bool:
    if isinstance(value, tuple):
        return bool(value) and all(map(is_number, value))
    return type(value) in (int, float)


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.thresholds"


def test_every_number_says_what_it_is() -> None:
    silent = [f"{file}: {each}" for file, all_of_it in by_file().items() for each in all_of_it]
    assert [row for row in silent if row.endswith("|  |")] == []


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(CHECKER)))
def test_no_number_of_a_module_is_left_out(file: Path) -> None:
    """Found by running the module, where the table reads it."""
    name = ".".join(file.relative_to(HOUSE).with_suffix("").parts).removesuffix(".__init__")
    module = importlib.import_module(name)
    text = file.read_text(encoding="utf-8")
    numbers = {key for key, value in vars(module).items() if key.isupper() and is_number(value)}
    own = {key for key in numbers if re.search(rf"^([A-Z_]+, )*{key}\b.* = ", text, re.MULTILINE)}
    rows = by_file().get(file.relative_to(CHECKER).as_posix(), [])
    listed = {name for row in rows for name in row.names}
    assert own <= listed


@pytest.mark.parametrize(
    ("source", "rows"),
    [
        ("NEAR = 2.0**-20  # a | b", ["| `NEAR` | `2.0**-20` | a \\| b |"]),
        ("FEW, MANY = 200, 2000  # entries", ["| `FEW`, `MANY` | `200, 2000` | entries |"]),
        ("# as\n# above\nNEAR = 3", ["| `NEAR` | `3` | as above |"]),
        ("MOVE = {torch.float32: 2.0**-7}", ["| `MOVE` | `{torch.float32: 2.0**-7}` |  |"]),
        ("BOTH: tuple = (NEAR, (-1, 3))", ["| `BOTH` | `(NEAR, (-1, 3))` |  |"]),
        ("NAME = 'x'\nFLAG = True\nRULES = (a, b)\nx = 1\nNO = NEAR\ndef f(): X = 1", []),
    ],
)
def test_what_is_a_threshold(source: str, rows: list[str]) -> None:
    assert list(map(str, thresholds(source))) == rows
