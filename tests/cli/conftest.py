"""The command line in this process: its exit status, and what it and its forks have printed."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.checked_files import ENTRIES, KERNELS, MANY
from torchref import cli


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """The command with some arguments: its exit status, standard output and standard error."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["torchref", *map(str, arguments)])
        monkeypatch.setattr(cli.out, "width", 200)
        status = 0
        try:
            cli.main()
        except SystemExit as end:
            status = int(end.code or 0)
        printed = capfd.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return status, printed.out, printed.err

    return call


@pytest.fixture
def _modules_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """What a test imports from its folder is forgotten after it."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where one works: with the kernels of the page, and a file of many Functions."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kernels.py").write_text(KERNELS)
    (tmp_path / "many.py").write_text(MANY)
    cases = ", ".join(f"'{name}': {value}" for name, value in ENTRIES.items())
    (tmp_path / "cased.py").write_text(f"{MANY}\ncases = {{{cases}}}\n")
    return tmp_path
