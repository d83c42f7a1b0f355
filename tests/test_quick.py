"""`pytest -m quick` goes into every folder of tests but those that start other processes."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from conftest import takes_long

TESTS = Path(__file__).parent


def test_it_goes_everywhere(request: pytest.FixtureRequest) -> None:
    """Where all tests are asked for: to collect them once more takes as long as a hundred tests."""
    asked = {Path(each).resolve() for each in request.config.args}
    options = request.config.option
    if TESTS not in asked or options.keyword or options.markexpr not in ("", "quick"):
        pytest.skip("only a run of all tests shows whether the quick ones cover every room")
    quick = {item.path for item in request.session.items if item.get_closest_marker("quick")}
    files = (file for file in TESTS.rglob("test_*.py") if not takes_long(file))
    every = {file for file in files if is_collected(file)}
    of_tests = {path for path in quick if path.is_relative_to(TESTS)}
    assert {path for path in of_tests if path.name.startswith("test_")} == every


def is_collected(file: Path) -> bool:
    """Whether all that the file asks for is installed: without it pytest skips it whole."""
    named = r'^(?:\w+ = )?pytest\.importorskip\("(\w+)'
    asked = re.findall(named, file.read_text("utf-8"), re.MULTILINE)
    return all(find_spec(name) for name in asked)
