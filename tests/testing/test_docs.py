"""The test files that the docs show: pytest prints what stands below them, or passes them."""

import re

import pytest

from tests.page_contents import PAGES, Block, is_a_test_file, name_of, python

EXAMPLES = [
    pytest.param(block, [each for each in found[:place] if each.saved_as], id=f"{page}-{place}")
    for page, found in ((name_of(page), python(page)) for page in PAGES)
    for place, block in enumerate(found)
    if is_a_test_file(block)
]


@pytest.mark.parametrize(("block", "saved"), EXAMPLES)
def test_an_example(suite: pytest.Pytester, block: Block, saved: list[Block]) -> None:
    for each in saved:
        suite.path.joinpath(each.saved_as or "").write_text(each.code, encoding="utf-8")
    name = block.saved_as or "test_example.py"
    suite.path.joinpath(name).write_text(block.code, encoding="utf-8")
    ended = suite.runpytest_inprocess("-ra")
    if block.shown is None:
        assert ended.ret == 0
    else:
        shown = block.shown.splitlines()
        ended.stdout.fnmatch_lines([re.sub("^=", "*=", line) for line in shown])
