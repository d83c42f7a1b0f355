"""Without what the extra brings an experiment says so, and no traceback."""

import subprocess
import sys

import pytest

HIDDEN = """
import importlib.util, runpy, sys
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in {hidden} else found(name, *rest)
runpy.run_module("experiments.iris", run_name="__main__")
"""


@pytest.mark.parametrize(
    ("hidden", "named"),
    [(["sklearn"], "need sklearn."), (["sklearn", "matplotlib"], "need sklearn and matplotlib.")],
)
def test_an_absent_package_is_one_message(hidden: list[str], named: str) -> None:
    call = [sys.executable, "-c", HIDDEN.format(hidden=hidden)]
    ended = subprocess.run(call, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert named in line
    assert "'.[experiments]'" in line
