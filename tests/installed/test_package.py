"""What is said of a wheel and an sdist that lack something, and of a version without a heading."""

import sys
from pathlib import Path

import pytest

from tests.installed.environment import HOUSE, FailedError, run
from tests.installed.package import differences, wrong_in_wheel
from torchref import __version__

PACKAGE = {
    "torchref/__init__.py",
    "torchref/py.typed",
    "torchref/auditor/report/page.html.jinja",
}
TRACKED = {*PACKAGE, "README.md", "tests/test_floors.py"}
LICENCE = f"torchref-{__version__}.dist-info/licenses/LICENSE"
WHOLE = {*PACKAGE, LICENCE, f"torchref-{__version__}.dist-info/RECORD"}


def test_a_wheel_that_is_whole() -> None:
    assert not [*wrong_in_wheel(WHOLE, TRACKED)]


@pytest.mark.parametrize("name", sorted(PACKAGE | {LICENCE}))
def test_a_wheel_that_lacks_a_file(name: str) -> None:
    assert f"the wheel lacks {name}" in [*wrong_in_wheel(WHOLE - {name}, TRACKED)]


def test_a_type_marker_that_git_does_not_keep_either() -> None:
    marker = {"torchref/py.typed"}
    assert [*wrong_in_wheel(WHOLE - marker, TRACKED - marker)] == [
        "the wheel lacks torchref/py.typed"
    ]


@pytest.mark.parametrize("name", ["tests/test_floors.py", "conftest.py", "torchref/notes.txt"])
def test_a_wheel_that_holds_more(name: str) -> None:
    wrong = [*wrong_in_wheel({*WHOLE, name}, TRACKED)]
    assert wrong == [f"the wheel holds {name}, which it should not"]


def test_an_sdist_that_differs() -> None:
    held = {*TRACKED, "runs/mine/metrics.csv"} - {"README.md"}
    assert [*differences("the sdist", held, TRACKED)] == [
        "the sdist lacks README.md",
        "the sdist holds runs/mine/metrics.csv, which it should not",
    ]


def test_a_command_that_fails_is_told_with_its_last_lines(tmp_path: Path) -> None:
    code = "import sys; print(*range(60), sep='\\n'); sys.exit(3)"
    with pytest.raises(FailedError) as failed:
        run(sys.executable, "-c", code, at=tmp_path)
    message = str(failed.value)
    assert "ended with status 3:\n20\n21" in message
    assert message.endswith("\n59")


def test_the_changelog_has_a_heading_for_the_version() -> None:
    """A version under development stands under what is unreleased; a released one has its own."""
    heading = "[Unreleased]" if ".dev" in __version__ else f"[{__version__}]"
    changelog = (HOUSE / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\n## {heading}" in changelog
