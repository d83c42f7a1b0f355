"""The field survey: what `torchref.audit` says of the Functions of packages as they are used.

python -m tests.packages.survey run FILE [PACKAGE ...]
python -m tests.packages.survey write FILE ... > docs/field_survey.md

`run` writes what it saw as JSON lines, and goes on where a run into the same file was ended. It
tries what is installed: the packages and the Triton kernels may be in two environments, and `write`
makes one page of the files of both.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.packages.audited import KERNELS, Line, audited
from tests.packages.measure import PACKAGES

SECONDS = 900.0  # for one process: the call that it is at is left out, and told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="audit the packages, and write down what was seen")
    run.add_argument("file", type=Path)
    run.add_argument("packages", nargs="*", metavar="PACKAGE", help="all, unless some are named")
    one = commands.add_parser("one", help="audit one package in this process")
    one.add_argument("package")
    one.add_argument("--after", default="", metavar="CALL", help="begin after this call")
    write = commands.add_parser("write", help="print the page")
    write.add_argument("files", type=Path, nargs="+")
    chosen = parser.parse_args()
    if chosen.command == "run":
        _run(chosen.file, chosen.packages or [*PACKAGES, *KERNELS])
    elif chosen.command == "one":
        for line in audited(chosen.package, chosen.after):
            print(json.dumps(line), flush=True)
        os._exit(0)  # some packages leave threads behind, which end the process as Python ends
    else:
        from tests.packages.survey_page import page

        print(page([line for file in chosen.files for line in _lines_of(file)]), end="")


def _run(file: Path, packages: Sequence[str]) -> None:
    """The file has a package whole or not at all: the last line of one says that it is done."""
    kept = _done(file)
    file.write_text("".join(json.dumps(line) + "\n" for lines in kept.values() for line in lines))
    stopped = []
    for package in packages:
        if package in kept:
            print(f"{package}: done before", file=sys.stderr, flush=True)
            continue
        began = _cpu_seconds()
        lines = surveyed(package, SECONDS)
        seconds = _cpu_seconds() - began
        lines.append({"done": package, "seconds": seconds})
        with file.open("a") as out:
            out.writelines(json.dumps(line) + "\n" for line in lines)
        stopped += [line["stopped"] for line in lines if "stopped" in line]
        print(f"{package}: {seconds:.0f} s", file=sys.stderr, flush=True)
    sys.exit(f"not surveyed to the end: {', '.join(stopped)}" if stopped else 0)


def surveyed(package: str, seconds: float) -> list[Line]:
    """Of a process of its own, for some packages change torch itself as they are imported; and of
    another for what is left, where that ends or lasts too long. The call it stopped at is told.
    """
    lines: list[Line] = []
    after = ""
    while True:
        command = [sys.executable, "-m", "tests.packages.survey", "one", package, "--after", after]
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=seconds)
            told, ended = done.stdout, f"ended with exit status {done.returncode}"
            is_whole = done.returncode == 0
        except subprocess.TimeoutExpired as late:
            told, ended = (late.stdout or b"").decode(), f"not done after {seconds:.0f} seconds"
            is_whole = False
        # a package may print too, and the last line may be cut off
        new = [json.loads(s) for s in told.splitlines() if s.startswith("{") and s.endswith("}")]
        lines += [line for line in new if "begun" not in line]
        if is_whole:
            return lines
        begun = [line["begun"] for line in new if "begun" in line]
        if not begun:
            return [*lines, {"stopped": package, "why": ended}]
        after = begun[-1]
        lines = [line for line in lines if line.get("case") != after]
        lines.append({"stopped": after, "why": ended})


def _done(file: Path) -> dict[str, list[Line]]:
    """By package, the lines of those that are done."""
    done: dict[str, list[Line]] = {}
    lines: list[Line] = []
    for line in _lines_of(file) if file.exists() else []:
        lines.append(line)
        if "done" in line:
            done[line["done"]], lines = lines, []
    return done


def _lines_of(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
