"""What README and docs show is what a reader gets: the Python runs, and prints what is shown."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from torchref.cli import app

HOUSE = Path(__file__).parent.parent
README = (HOUSE / "README.md").read_text(encoding="utf-8")
AUDIT = (HOUSE / "docs" / "audit.md").read_text(encoding="utf-8")
PROMISES = (HOUSE / "docs" / "promises.md").read_text(encoding="utf-8")
BLOCK = r"```\n(.*?)```"
PYTHON = re.compile(r"```python\n(.*?)```\n(?:\n" + BLOCK + ")?", re.DOTALL)
WORST = re.compile(r" +[\d.e+-]+ (?=│ right)")  # in the table of ops: rounding, another each time


def shown_after(phrase: str) -> str:
    """The first block of output after a phrase."""
    block = re.search(BLOCK, README.partition(phrase)[2], re.DOTALL)
    assert block
    return block[1]


def assert_in_order(shown: str, printed: str) -> None:
    """Every line shown is printed, in this order; the README leaves some out."""
    rest: Iterator[str] = iter(printed.splitlines())
    for line in shown.splitlines():
        assert any(line.rstrip() == other.rstrip() for other in rest), f"{line!r} in {printed}"


def numbered(found: Iterable[re.Match[str]]) -> list[object]:
    return [pytest.param(*match.groups(), id=str(n)) for n, match in enumerate(found)]


@pytest.mark.parametrize(("code", "shown"), numbered(PYTHON.finditer(README + PROMISES + AUDIT)))
def test_its_python(code: str, shown: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(0)
    exec(code, {})
    assert_in_order(shown or "", capsys.readouterr().out)


@pytest.mark.parametrize("command", ["crosscheck", "explain two-neuron-chain"])
def test_its_commands(command: str) -> None:
    ended = CliRunner().invoke(app, command.split(), env={"COLUMNS": "100"})
    assert ended.exit_code == 0, ended.output
    shown = shown_after(f".venv/bin/torchref {command}\n")
    assert_in_order(WORST.sub("", shown), WORST.sub("", ended.output))


def test_the_audit_of_its_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    code = PYTHON.search(AUDIT)
    shown = re.search(BLOCK, AUDIT.partition("prints, some lines left out,")[2], re.DOTALL)
    assert code
    assert shown
    (tmp_path / "train.py").write_text(code[1])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(HOUSE))
    ended = CliRunner().invoke(app, ["audit", "train.py"])
    assert ended.exit_code == 1, ended.output + capfd.readouterr().err
    assert_in_order(shown[1], ended.output)


def test_its_experiments_are_those_that_there_are() -> None:
    modules = {file.stem for file in (HOUSE / "experiments").glob("*.py")}
    table = README.partition("| experiment ")[2]
    listed = re.findall(r"^\| `(\w+)` *\|", table, re.MULTILINE)
    assert set(listed) == modules - {"__init__", "bundled_data"}


def test_its_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\((?!http)(.*?)\)", README):
        assert (HOUSE / link).exists()
