"""The pages of the lectures and of `explain`: what their commands and blocks print, made anew.

    python -m tests.lecture_pages

runs every `$ torchref explain …` and every block of Python in them, and writes below each what it
prints. A line `<!-- sections: The forward pass | The verdict -->` above a command keeps the
sections that begin so.
"""

import io
import os
import re
import shlex
import tempfile
from contextlib import chdir, redirect_stdout
from pathlib import Path

import torch
from typer.testing import CliRunner

from torchref.cli import app

HOUSE = Path(__file__).parent.parent
PAGES = [HOUSE / "docs" / "explain.md", *sorted((HOUSE / "docs" / "lectures").glob("*.md"))]
COLUMNS = "100"
BLOCK = re.compile(
    r"(?P<above><!-- sections: (?P<sections>[^\n]*) -->\n)?"
    r"```(?P<kind>console|python)\n(?P<given>.*?)```(?P<below>\n\n```text\n.*?```)?",
    re.DOTALL,
)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
OF_ROUNDING = re.compile(r"± \S+")  # another one with another order of additions
SAME = 1e-9  # relative: the last digits of a float64 differ between processors


def remade(text: str) -> str:
    """The page with what its blocks print today."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        return BLOCK.sub(_remade, text)


def _remade(block: re.Match[str]) -> str:
    above, given = block["above"] or "", block["given"]
    if block["kind"] == "python":
        printed = ran(given)
        return f"```python\n{given}```" + (f"\n\n```text\n{printed}```" if printed else "")
    command = given.partition("\n")[0]
    printed = commanded(command.removeprefix("$ torchref "))
    if block["sections"]:
        printed = chosen(printed, block["sections"].split(" | "))
    return f"{above}```console\n{command}\n{printed}```"


def ran(code: str) -> str:
    torch.manual_seed(0)
    with redirect_stdout(io.StringIO()) as printed:
        exec(code, {})
    return printed.getvalue()


def commanded(arguments: str) -> str:
    """Of a command that is refused, its message."""
    ended = CliRunner().invoke(
        app, shlex.split(arguments), env={**os.environ, "COLUMNS": COLUMNS}, catch_exceptions=True
    )
    return ended.output or f"error: {ended.exception}\n"


def chosen(printed: str, sections: list[str]) -> str:
    """The sections whose first lines begin as is said; raises `LookupError` where one does not."""
    parts = re.split(r"\n\n(?=\S)", printed.rstrip("\n"))
    found = [part for part in parts if part.startswith(tuple(sections))]
    for section in sections:
        if not any(part.startswith(section) for part in found):
            raise LookupError(f"no section begins with {section!r}")
    return "\n\n".join(found) + "\n"


def is_same(one: str, other: str) -> bool:
    """Whether two texts differ in the last digits of their numbers at most."""
    one, other = (OF_ROUNDING.sub("±", text) for text in (one, other))
    numbers = zip(NUMBER.findall(one), NUMBER.findall(other), strict=False)
    return NUMBER.sub("#", one).split() == NUMBER.sub("#", other).split() and all(
        abs(float(a) - float(b)) <= SAME * max(abs(float(a)), abs(float(b))) for a, b in numbers
    )


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(remade(page.read_text(encoding="utf-8")), encoding="utf-8")
