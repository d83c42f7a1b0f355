"""The field survey: what `torchref.audit` says of the Functions of packages as they are used.

python -m tests.packages.survey run FILE [PACKAGE ...]
python -m tests.packages.survey write FILE ... > docs/field_survey.md

`run` writes what it saw as JSON lines. It tries what is installed: the packages and the Triton
kernels may be in two environments, and `write` makes one page of the files of both.
"""

import argparse
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils import _pytree as pytree

import torchref
from tests.packages.measure import PACKAGES
from tests.packages.used import Used, of_kernels, of_packages

KERNELS = ("liger", "fla", "torchnorm", "saga")
LIMIT = 60.0  # seconds for one cross-check
SECONDS = 600.0  # for one package


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="audit the packages, and write down what was seen")
    run.add_argument("file", type=Path)
    run.add_argument(
        "packages", nargs="*", metavar="PACKAGE[.CALL]", help="all, unless some are named"
    )
    one = commands.add_parser("one", help="audit one package, or one call, in this process")
    one.add_argument("package")
    write = commands.add_parser("write", help="print the page")
    write.add_argument("files", type=Path, nargs="+")
    chosen = parser.parse_args()
    if chosen.command == "run":
        _run(chosen.file, chosen.packages or [*PACKAGES, *KERNELS])
    elif chosen.command == "one":
        for line in _audited(chosen.package):
            print(json.dumps(line), flush=True)
        os._exit(0)  # some packages leave threads behind, which end the process as Python ends
    else:
        from tests.packages.survey_page import page

        lines = [line for file in chosen.files for line in file.read_text().splitlines()]
        print(page([json.loads(line) for line in lines]), end="")


def _run(file: Path, packages: list[str]) -> None:
    """Each package in a process of its own: some change torch itself as they are imported."""
    failed = []
    with file.open("w") as out:
        for package in packages:
            command = [sys.executable, "-m", "tests.packages.survey", "one", package]
            try:
                done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=SECONDS)
                told, ended = done.stdout, f"exit status {done.returncode}" * bool(done.returncode)
            except subprocess.TimeoutExpired as late:
                told, ended = (late.stdout or b"").decode(), f"not done after {SECONDS:.0f} seconds"
            for line in told.splitlines():
                if line.startswith("{"):
                    out.write(line + "\n")
            if ended:
                failed.append(package)
                out.write(json.dumps({"stopped": package, "why": ended}) + "\n")
            out.flush()
            print(f"{package}: {ended or 'done'}", file=sys.stderr, flush=True)
    sys.exit(f"not surveyed to the end: {', '.join(failed)}" if failed else 0)


def _audited(named: str) -> Iterator[dict[str, Any]]:
    """A line for each case and Function under it."""
    warnings.simplefilter("ignore")  # of the packages themselves
    package, _, call = named.partition(".")
    try:
        cases = of_kernels(package) if package in KERNELS else of_packages(package)
    except pytest.skip.Exception as missing:
        print(missing, file=sys.stderr)
        return
    torch.set_num_threads(1)
    for case in cases:
        if call and case.name != named:
            continue
        with torchref.audit() as audit:
            error = _used(case)
        options = {"seconds": LIMIT, **case.always}
        stated = bare = audit.report(**options)
        if bare.verdict != "right":  # then what its user would state may tell
            expect = dict.fromkeys(audit.seen, case.because) if case.expected else {}
            options |= {"expect": expect, "references": case.references, **case.options}
            stated = audit.report(**options)
        for before, row in zip(bare.rows, stated.rows, strict=True):
            file, distribution = _home(row.file)
            if distribution is None:
                continue  # of the tests themselves
            told = row.to_dict() | {"file": file, "reports": []}
            findings = [f for report in row.reports for f in report.findings]
            yield told | {
                "package": distribution,
                "version": version(distribution),
                "torch": torch.__version__,
                "case": case.name,
                "truth": case.truth,
                "stated": case.because,
                "error": error,
                "bare": before.verdict,
                "bare_cause": before.cause,
                "bare_hint": before.note,
                "evidence": findings[0].evidence if findings else "",
                "undecided": [
                    f"{check.name}: {check.note}"
                    for report in row.reports
                    for check in report.checks
                    if check.status == "cannot tell"
                ],
            }


def _used(case: Used) -> str:
    """Forward and backward as in a program; the error where the backward raises one."""
    torch.manual_seed(0)
    inputs = [x.requires_grad_() if needs else x for x, needs in case.inputs]
    outputs = [
        y
        for y in pytree.tree_leaves(case.call(*inputs))
        if isinstance(y, Tensor) and y.requires_grad
    ]
    try:
        torch.autograd.backward(outputs, [torch.randn_like(y) for y in outputs])
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _home(file: str | None) -> tuple[str, str | None]:
    """The path within the package, and the distribution that it was installed from."""
    parts = Path(file or "").parts
    if "site-packages" not in parts:
        return file or "", None
    inside = parts[parts.index("site-packages") + 1 :]
    module = inside[0].removesuffix(".py")
    return "/".join(inside), packages_distributions()[module][0]


if __name__ == "__main__":
    main()
