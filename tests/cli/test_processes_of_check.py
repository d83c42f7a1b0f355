"""`torchref check` where its output takes no more."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.full_disk import FULL, needs_full


def program(folder: Path, *arguments: str, **kwargs) -> subprocess.Popen[str]:
    call = [sys.executable, "-m", "torchref", "check", *arguments]
    return subprocess.Popen(call, cwd=folder, stderr=subprocess.PIPE, text=True, **kwargs)


@pytest.mark.parametrize("to", ["pipe that nobody reads", pytest.param(FULL, marks=needs_full)])
def test_standard_output_that_takes_no_more(folder: Path, to: str | Path) -> None:
    call = (
        "many.py:Flipped",
        "--inputs",
        "randn(3)",
        "--quick",
        "--no-isolate",
        "--json",
        "r.json",
    )
    if to == FULL:
        with FULL.open("w") as full, program(folder, *call, stdout=full) as process:
            _, err = process.communicate(timeout=120)
    else:
        with program(folder, *call, stdout=subprocess.PIPE) as process:
            assert process.stdout
            process.stdout.close()
            assert process.stderr
            err = process.stderr.read()
    assert process.returncode == 2
    assert "Flipped: wrong: sign-flipped in x[" in err
    assert "error: standard output takes no more" in err
    assert "Traceback" not in err
    assert "Exception ignored" not in err
    assert json.loads((folder / "r.json").read_text())["reports"][0]["verdict"] == "wrong"
