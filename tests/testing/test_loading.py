"""The plugin costs a run without cross-checks nothing, and comes under one name alone."""

import pytest

from tests.testing.conftest import PLUGIN


@pytest.mark.parametrize("order", ["-p first", "entry point first"])
def test_two_names_load_it_once(suite: pytest.Pytester, order: str) -> None:
    metadata = suite.path / "torchref_entry-0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: torchref-entry\nVersion: 0\n")
    (metadata / "entry_points.txt").write_text(f"[pytest11]\ntorchref = {PLUGIN}\n")
    suite.syspathinsert(suite.path)
    suite.makepyfile("def test_it(crosscheck): pass")
    if order != "-p first":
        suite.makeini("[pytest]\npythonpath = .")
        suite.makeconftest(f"pytest_plugins = ['{PLUGIN}']")
    ended = suite.runpytest_inprocess()
    ended.assert_outcomes(passed=1)
