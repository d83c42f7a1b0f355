"""Each bug of a package shows in a few lines, beside a difference quotient in float64."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SCRIPTS = sorted((HERE / "reproductions").glob("*.py"))
RAISES = "# raises"  # a traceback quotes the line with its comment


def test_every_function_that_is_called_wrong_has_a_reproduction() -> None:
    wrong = sum(path.read_text().count("right=False") for path in HERE.glob("of_*.py"))
    assert wrong == len(SCRIPTS)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_the_gradient_is_not_the_difference_quotient(script: Path) -> None:
    if importlib.util.find_spec(script.stem.split(".")[0]) is None:
        pytest.skip("the package is not installed")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", script], capture_output=True, text=True, timeout=300
    )
    if RAISES in script.read_text():
        assert done.returncode == 1
        assert RAISES in done.stderr
        return
    assert done.returncode == 0, done.stderr
    gradient, true = done.stdout.split()[-2:]
    off = float(true) - (0.0 if gradient == "None" else float(gradient))
    assert abs(float(true)) > 0
    assert not abs(off) <= 0.05 * abs(float(true))  # it may be NaN
