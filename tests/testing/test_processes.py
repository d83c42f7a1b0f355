"""What needs a process of its own: what the plugin loads, and pytest-xdist."""

import json

import pytest

from tests.testing.test_audit_option import SUITE as APPLIES
from tests.testing.test_report_file import SUITE as CROSS_CHECKS
from tests.testing.test_report_file import assert_complete

LISTS_MODULES = """
import sys

def pytest_unconfigure():
    print("torch is loaded:", "torch" in sys.modules)
"""


def test_a_suite_without_cross_checks_does_not_load_torch(suite: pytest.Pytester) -> None:
    suite.makepyfile("def test_nothing(): pass")
    suite.makeconftest(LISTS_MODULES)
    ended = suite.runpytest_subprocess("--torchref-report=found.json")
    ended.assert_outcomes(passed=1)
    ended.stdout.fnmatch_lines(["torch is loaded: False"])
    ended.stdout.no_fnmatch_line("*= torchref =*")


def test_it_is_complete_under_xdist(suite: pytest.Pytester) -> None:
    suite.makepyfile(CROSS_CHECKS)
    ended = suite.runpytest_subprocess("-n", "2", "--torchref-report=found.json")
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    assert_complete(suite)
    ended.stdout.fnmatch_lines(["cross-checks: 4 right, 1 wrong, 0 cannot tell; 0 with hazards"])


def test_workers_audit_their_own_and_one_table_tells_all(suite: pytest.Pytester) -> None:
    suite.makepyfile(APPLIES.format("WrongSwish"))
    ended = suite.runpytest_subprocess("-n", "2", "--torchref-audit", "--torchref-report=f.json")
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    audit = json.loads((suite.path / "f.json").read_text())["audit"]
    assert {each["name"]: (each["verdict"], each["calls"]) for each in audit["functions"]} == {
        "Swish": ("right", 1),
        "WrongSwish": ("wrong", 1),
    }
    assert audit["left_out"] == []


def test_a_worker_that_ended_early_is_said(suite: pytest.Pytester) -> None:
    suite.makepyfile("import os\ndef test_ends(): os._exit(3)")
    ended = suite.runpytest_subprocess("-n", "1", "--max-worker-restart=0", "--torchref-audit")
    assert ended.ret != pytest.ExitCode.OK
    ended.stdout.fnmatch_lines(["gw0 ended early: what it applied was not audited"])
