"""Slow tests are left out of a run of all tests, and run where anybody asks for them."""

from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
TESTS = """
import pytest

@pytest.mark.parametrize("seed", [0, 1, 2])
def test_by_seed(seed): pass

@pytest.mark.slow
def test_of_seconds(): pass

def test_at_once(): pass
"""
OF_PROCESSES = """
def test_one(): pass
def test_other(): pass
"""


@pytest.mark.parametrize(
    ("asked", "passed"),
    [
        ((), 3),  # one seed, what is done at once, and one that starts a process
        ((".",), 3),
        (("-n", "1"), 3),
        (("tests/few",), 7),
        (("tests/few/test_few.py",), 5),
        (("tests", "tests/few"), 7),
        ((".", "-m", "slow"), 4),
        ((".", "-m", "slow or not slow"), 7),
        ((".", "-k", "test_by_seed"), 3),
        (("tests/few/test_few.py::test_of_seconds",), 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_they_run_where_they_are_asked_for(
    pytester: pytest.Pytester, asked: tuple[str, ...], passed: int
) -> None:
    pytester.makeconftest(CONFTEST.read_text("utf-8"))
    pytester.makeini("[pytest]\ntestpaths = tests\nmarkers =\n    slow\n    quick\n    cuda\n")
    files = {"tests/few/test_few": TESTS, "tests/few/test_processes_of_few": OF_PROCESSES}
    pytester.mkdir("tests").joinpath("few").mkdir()
    pytester.makepyfile(**files)
    ended = pytester.runpytest("-p", "no:cacheprovider", *asked)
    assert ended.parseoutcomes()["passed"] == passed
