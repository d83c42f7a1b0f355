"""What needs a process of its own: what the plugin loads, and pytest-xdist."""

import json
import signal
import subprocess
import sys

import pytest

from tests.testing.test_audit_option import ENDS
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


def test_a_function_that_ends_what_audits_it_fails_the_run(suite: pytest.Pytester) -> None:
    suite.makepyfile(APPLIES.format("Swish") + ENDS.format("os._exit(0)"))
    options = ("--torchref-audit", "--torchref-report=f.json")
    ended = suite.runpytest_subprocess("-n", "1", *options)
    ended.assert_outcomes(passed=3)
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    ended.stdout.fnmatch_lines(["*Ends: cannot tell*", "*ended the process, with exit status 0*"])
    assert json.loads((suite.path / "f.json").read_text())["audit"]["left_out"] == []


def test_a_worker_that_a_test_ends_is_named_and_fails_the_run(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        APPLIES.format("Swish") + "\ndef test_three():\n    import os\n    os._exit(0)\n"
    )
    options = ("--torchref-audit", "--torchref-report=f.json")
    ended = suite.runpytest_subprocess("-n", "1", *options)
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    told = "gw0 ended early: what it applied was not audited"
    ended.stdout.fnmatch_lines([told])
    assert told in json.loads((suite.path / "f.json").read_text())["audit"]["left_out"]


HANGS = """
import time
from pathlib import Path

def test_three():
    apply(Swish)
    Path("reached").touch()
    time.sleep(60)
"""


def test_ctrl_c_names_the_workers_whose_audit_is_lost(suite: pytest.Pytester) -> None:
    suite.makepyfile(APPLIES.format("WrongSwish") + HANGS)
    options = ("--torchref-audit", "--torchref-report=f.json", "--tb=no")
    running = suite.popen(
        (sys.executable, "-m", "pytest", "-n", "1", *options),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not (suite.path / "reached").exists():
        assert running.poll() is None
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=120)
    assert running.returncode == pytest.ExitCode.INTERRUPTED
    assert "gw0 was interrupted: what it applied was not audited" in out
    assert "Traceback" not in out + err
    assert json.loads((suite.path / "f.json").read_text())["interrupted"]
