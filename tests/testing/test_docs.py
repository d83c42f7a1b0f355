"""The examples of docs/testing.md are test files, and pytest prints what stands below them."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2].joinpath("docs", "testing.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"```python\n(.*?)```\n\n```\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize(
    ("code", "shown"),
    [pytest.param(*m.groups(), id=str(n)) for n, m in enumerate(EXAMPLE.finditer(PAGE))],
)
def test_an_example(suite: pytest.Pytester, code: str, shown: str) -> None:
    suite.makepyfile(code)
    ended = suite.runpytest_inprocess("-ra")
    ended.stdout.fnmatch_lines([re.sub("^=", "*=", line) for line in shown.splitlines()])


def test_every_example_is_run() -> None:
    assert PAGE.count("```python") == len(EXAMPLE.findall(PAGE)) == 4
