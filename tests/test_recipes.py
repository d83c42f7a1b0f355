"""The recipes of docs/architecture.md do what they say: each is followed on a copy of the house."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recipe_changes import HOUSE, Change, copy_of_the_house, examples
from tests.test_floors import faults_of_files, faults_of_floors, faults_of_folders

PAGE = (HOUSE / "docs" / "architecture.md").read_text(encoding="utf-8")
RECIPE = re.compile(r"^### (.*?)\n(.*?)(?=^##)", re.DOTALL | re.MULTILINE)
RECIPES = dict(RECIPE.findall(f"{PAGE}\n##"))
EXAMPLES = examples()
MOST_LINES = 10

CUBE = """
import torch
from torchref import crosscheck

class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return {gradient}

def report(**options):
    torch.manual_seed(0)
    x = torch.randn(4, 3, dtype=torch.float64)
    return crosscheck(Cube, lambda x: x**3, (x,), **options)
"""
RIGHT = "3 * x**2 * grad_y"

# What holds once a recipe is followed, and does not before.
PROOFS = {
    "Add an op": """
import doctest
import torch
import torchref.ops.activations.sine
from typer.testing import CliRunner
from torchref.cli import app

checked = CliRunner().invoke(app, ["crosscheck", "Sine"])
assert checked.exit_code == 0, checked.output
assert "right" in checked.output
assert doctest.testmod(torchref.ops.activations.sine, extraglobs={"torch": torch}).failed == 0
""",
    "Add a probe": CUBE.format(gradient=f"{RIGHT} if grad_y.any() else x")
    + """
failed = [check.name for check in report().checks if check.status == "failed"]
assert failed == ["zero grad_output"], failed
Cube.backward = staticmethod(lambda ctx, grad_y: 3 * ctx.saved_tensors[0]**2 * grad_y)
(mine,) = (check for check in report().checks if check.name == "zero grad_output")
assert mine.status == "passed"
""",
    "Add a cause": """
import pytest

assert pytest.main(["-q", "-p", "no:cacheprovider", "tests/checker/causes/test_table.py"]) == 0

from typer.testing import CliRunner
from torchref.checker.causes.table import CAUSES
from torchref.cli import app

assert "running-sum" in CAUSES
assert CAUSES["running-sum"].meaning in CliRunner().invoke(app, ["causes"]).output
""",
    "Add a variation": CUBE.format(gradient=f"torch.where(x == -1, 0, {RIGHT})")
    + """
assert [finding.at for finding in report().findings] == ["minus one in x"], report()
""",
    "Add an experiment": """
import contextlib
import io
import runpy
import sys

sys.argv[1:] = ["--dry-run", "--quiet"]
printed = io.StringIO()
with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
    runpy.run_module("experiments.exclusive_or", run_name="__main__")
assert "With torch gradients the loss ends at" in printed.getvalue(), printed.getvalue()
""",
    "Change the tolerance": CUBE.format(gradient=f"(1 + 1e-10) * {RIGHT}")
    + """
assert report(thorough=False).verdict == "right", report(thorough=False)
""",
}


def files_named(recipe: str) -> set[str]:
    return set(re.findall(r"`([\w/]+\.(?:py|md))`", recipe))


def python(*call: str, house: Path) -> None:
    """Runs Python on a house of its own; what fails there is shown."""
    surroundings = {**os.environ, "PYTHONPATH": str(house), "COLUMNS": "100"}
    ended = subprocess.run(
        [sys.executable, *call],
        cwd=house,
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def changed_python(changes: tuple[Change, ...]) -> Iterator[str]:
    yield from sorted({change.file for change in changes if change.file.endswith(".py")})


def test_every_recipe_has_an_example_and_a_proof() -> None:
    assert list(RECIPES) == list(EXAMPLES) == list(PROOFS)


@pytest.mark.parametrize("title", PROOFS)
def test_a_recipe_is_short_and_names_the_files_that_its_example_changes(title: str) -> None:
    lines = [line for line in RECIPES[title].splitlines() if line.strip()]
    assert 0 < len(lines) <= MOST_LINES
    changed = {change.file for change in EXAMPLES[title]}
    assert changed <= files_named(RECIPES[title])
    assert all((HOUSE / file).exists() for file in files_named(RECIPES[title]) - changed)


@pytest.mark.parametrize("title", PROOFS)
def test_followed_it_does_what_it_says(title: str, tmp_path: Path) -> None:
    house = copy_of_the_house(tmp_path)
    for change in EXAMPLES[title]:
        change.make(house)
    assert faults_of_floors(house) + faults_of_files(house) + faults_of_folders(house) == []
    names = list(changed_python(EXAMPLES[title]))
    python("-m", "ruff", "check", "--no-cache", *names, house=house)
    python("-m", "ruff", "format", "--no-cache", "--check", *names, house=house)
    python("-c", PROOFS[title], house=house)


@pytest.mark.parametrize("title", PROOFS)
def test_before_it_is_followed_the_proof_fails(title: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["proof"])
    with pytest.raises((AssertionError, ImportError, ValueError)):
        exec(PROOFS[title], {})
