"""README and docs hold what they show: code runs and prints it, commands and links are there."""

import io
import re
import runpy
import sys
import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout, suppress
from functools import cache
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from tests import lecture_pages
from tests.page_contents import (
    HOUSE,
    PAGES,
    Block,
    Command,
    commands,
    is_a_test_file,
    name_of,
    python,
)
from torchref.cli import app, main

ELSEWHERE = {  # where their Python and commands run
    "docs/callbacks.md": "tests/training/integrations",
    "docs/causes.md": "tests/pages",
    "docs/check/triton.md": "tests/kernels",
    "docs/field_survey.md": "tests/packages",
    **{name_of(page): "tests/test_lecture_pages.py" for page in lecture_pages.PAGES},
}
WITH_PYTHON = [page for page in PAGES if name_of(page) not in ELSEWHERE and python(page)]
PRINTED_ELSEWHERE = {"mutate": "tests/testing/test_processes_of_mutation.py"}
ROUNDING = re.compile(r" +[\d.e+-]+ (?=│ right)")  # in the table of ops: another each time


def is_compared(command: Command) -> bool:
    words = command.words
    return bool(words) and command.shown is not None and words[0] not in PRINTED_ELSEWHERE


WITH_OUTPUT = [
    page
    for page in PAGES
    if name_of(page) not in ELSEWHERE and any(map(is_compared, commands(page)))
]


def every(pages: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", [pytest.param(each, id=name_of(each)) for each in pages])


def printed_in_order(shown: str, printed: str) -> str | None:
    """The first line shown that is not printed after those before it; a page leaves some out."""
    rest: Iterator[str] = iter(ROUNDING.sub("", printed).splitlines())
    for line in ROUNDING.sub("", shown).splitlines():
        if not any(line.rstrip() == other.rstrip() for other in rest):
            return line
    return None


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a reader saves and runs what a page shows; what is imported there is forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(HOUSE))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


@every(WITH_PYTHON)
def test_its_python_prints_what_is_shown(
    page: Path, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for block in run_python(page, folder):
        printed = capfd.readouterr().out
        missing = printed_in_order(block.shown or "", printed)
        where = f"{name_of(page)}, line {block.line}"
        assert missing is None, f"{where}: {missing!r} is not in its place in\n{printed}"


def run_python(page: Path, folder: Path) -> Iterator[Block]:
    """Block after block, as in one notebook. Tests run in tests/testing/test_docs.py."""
    names = {"__name__": "__main__"}
    for block in python(page):
        file = folder / (block.saved_as or f"line_{block.line}.py")
        file.write_text(block.code, encoding="utf-8")
        if not is_a_test_file(block):
            torch.manual_seed(0)
            exec(compile(block.code, str(file), "exec"), names)
            yield block


@every(WITH_OUTPUT)
def test_its_commands_print_what_is_shown(
    page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """After its Python, which may write what they read."""
    list(run_python(page, folder))
    for command in commands(page):
        if is_compared(command):
            capfd.readouterr()
            monkeypatch.setattr(sys, "argv", ["torchref", *(command.words or [])])
            with suppress(SystemExit):
                main()
            printed = "".join(capfd.readouterr())
            missing = printed_in_order(command.shown or "", printed)
            assert missing is None, f"{command.line}: {missing!r} is not in its place in\n{printed}"


@every(PAGES)
def test_its_commands_have_these_options(page: Path) -> None:
    for command in commands(page):
        if command.experiment:
            told = help_of_experiment(command.experiment)
        elif command.words is not None:
            told = help_of(next(iter(command.words), None))
        else:
            continue
        assert [each for each in command.options if each not in told] == [], command.line


@cache
def help_of(subcommand: str | None) -> str:
    words = [subcommand] if subcommand and not subcommand.startswith("-") else []
    ended = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "200"})
    assert ended.exit_code == 0, f"torchref {subcommand}: {ended.output}"
    return ended.output + "--version"


@cache
def help_of_experiment(name: str) -> str:
    told = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(told), suppress(SystemExit):
        patch.setattr(sys, "argv", [name, "--help"])
        patch.setenv("COLUMNS", "200")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of one that was imported before
            runpy.run_module(f"experiments.{name}", run_name="__main__")
    return told.getvalue()
