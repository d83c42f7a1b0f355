"""How the cross-check does on Functions that packages publish.

python -m tests.packages.measure [PACKAGE ...] [--seeds 3]

Each package is tried in a process of its own: some change torch itself as they are imported. It
prints a line for each Function, the reports on what went otherwise than it should, and the sums.
"""

import argparse
import importlib
import os
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from tests.packages.published import Published

PACKAGES = sorted(path.stem.removeprefix("of_") for path in Path(__file__).parent.glob("of_*.py"))
NOT_THERE = 77  # the exit status where a part of the package is missing: nothing was tried
SECONDS = 900.0  # for one package, on a machine that has other work


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("packages", nargs="*", metavar="PACKAGE", help="all, unless some are named")
    parser.add_argument("--seeds", type=int, default=3)
    chosen = parser.parse_args()
    if len(chosen.packages) == 1:
        status = _measured(chosen.packages[0], chosen.seeds)
        sys.stdout.flush()
        os._exit(status)  # some leave threads behind, which end the process as Python ends
    failed = [name for name in chosen.packages or PACKAGES if tried(name, chosen.seeds)[0] == 1]
    sys.exit(f"otherwise than it should: {', '.join(failed)}" if failed else 0)


def tried(package: str, seeds: int) -> tuple[int, str]:
    """The exit status of a package in a process of its own, and what that printed."""
    command = [sys.executable, "-m", "tests.packages.measure", package, "--seeds", str(seeds)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS
    )
    print(done.stdout, end="", flush=True)
    return done.returncode, done.stdout


def _measured(package: str, seeds: int) -> int:
    """The exit status: 1 where a verdict is otherwise than it should, NOT_THERE where none is."""
    warnings.simplefilter("ignore")  # of the packages themselves
    try:
        functions = importlib.import_module(f"tests.packages.of_{package}").FUNCTIONS
    except pytest.skip.Exception as missing:
        print(missing)
        return NOT_THERE
    torch.set_num_threads(1)  # some set another number
    return int(otherwise(functions, seeds))


def otherwise(functions: Sequence[Published], seeds: int) -> bool:
    """Whether a right Function is called wrong, or a wrong one is not; all verdicts are printed."""
    found, sums = False, Counter[str]()
    for function in functions:
        began = time.perf_counter()
        reports = [function.report(seed) for seed in range(seeds)]
        seconds = (time.perf_counter() - began) / seeds
        should = "right" if function.right else "wrong"
        verdicts = [report.verdict for report in reports]
        print(f"{function.name:60} {should}: {', '.join(verdicts)}  {seconds:.1f} s", flush=True)
        for report in reports:
            if report.verdict != should:
                print(f"  seed {report.seed}: {report}")
        found |= ("wrong" in verdicts) if function.right else set(verdicts) != {"wrong"}
        sums.update(f"{should} called {verdict}" for verdict in verdicts)
    print(dict(sums))
    return found


if __name__ == "__main__":
    main()
