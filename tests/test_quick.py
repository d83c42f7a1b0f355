"""`pytest -m quick` goes into every folder of tests but those that start other processes."""

import subprocess
import sys
from pathlib import Path

from conftest import SLOW, STARTS_PROCESSES

HOUSE = Path(__file__).parent.parent


def test_it_goes_everywhere() -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-qm", "quick", "tests"]
    told = subprocess.run(
        [*command, "-p", "no:cacheprovider"], cwd=HOUSE, capture_output=True, text=True, check=True
    )
    quick = {line.partition("::")[0] for line in told.stdout.splitlines() if "::" in line}
    every = {
        str(file.relative_to(HOUSE))
        for file in (HOUSE / "tests").rglob("test_*.py")
        if not SLOW & set(file.parts) and not file.name.startswith(STARTS_PROCESSES)
    }
    assert quick == every
