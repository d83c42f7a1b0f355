"""Which Pythons are found, and how the versions that fail are told."""

import sys
from pathlib import Path

import pytest

from tests.installed import versions
from tests.installed.versions import Row, interpreters, of_crosscheck, of_pytest, show, tried

THIS = ".".join(str(part) for part in sys.version_info[:2])


@pytest.fixture
def shim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only Python on the path and of pyenv, which says that it is not there."""
    file = tmp_path / f"python{THIS}"
    file.write_text("#!/bin/sh\nexit 127\n")
    file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    return file


def of_pyenv(root: Path, name: str, target: str = sys.executable) -> str:
    folder = root / "versions" / name / "bin"
    folder.mkdir(parents=True)
    (folder / "python").symlink_to(target)
    return str(folder / "python")


def test_what_does_not_run_or_is_another_version_is_no_interpreter(shim: Path) -> None:
    assert not [*interpreters(THIS)]
    found = of_pyenv(shim.parent, f"{THIS}.9")
    of_pyenv(shim.parent, f"{THIS}.8", str(shim))
    assert [*interpreters(THIS)] == [found]


@pytest.mark.usefixtures("shim")
def test_a_python_that_is_not_there_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = tried("3.12", "2.11.0", tmp_path)
    assert (row.quick, row.catalogue) == ("not tried", "not tried")
    assert row.failures == ("no Python 3.12 was found on the path or among pyenv's versions",)
    monkeypatch.setattr(sys, "argv", ["versions", "--python", "3.12", "--torch", "2.11.0"])
    with pytest.raises(SystemExit) as ended:
        versions.main()
    assert ended.value.code == 1
    assert "Python 3.12, torch 2.11.0: no Python 3.12 was found" in capsys.readouterr().out


def test_what_pytest_and_crosscheck_print_in_a_few_words() -> None:
    line = "571 passed, 31 skipped, 6000 deselected in 61.20s (0:01:01)"
    assert of_pytest(f"....\n{line}\n") == "571 passed, 31 skipped"
    assert of_pytest(f"....\n===== 1 failed, {line} =====") == "1 failed, 571 passed, 31 skipped"
    assert of_crosscheck("│ GLU │ right │\n│ GRU │ right   │\n│ LU │ wrong │") == "2 ops right"


def test_each_failure_is_shown_below_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    show(
        [
            Row("3.11", "2.13.0", "1 passed", "2 ops right"),
            Row("3.12", "2.13.0", failures=("a", "b")),
        ]
    )
    printed = capsys.readouterr().out
    assert "│ 3.11   │ 2.13.0 │ 1 passed    │ 2 ops right │" in printed
    assert printed.endswith("\nPython 3.12, torch 2.13.0: a\n\nPython 3.12, torch 2.13.0: b\n")
