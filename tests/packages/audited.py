"""What the audit says of one call of a package, as lines of the survey."""

import warnings
from collections.abc import Iterator
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

import pytest
import torch

import torchref
from tests.packages.differences import error_of_the_call, outputs_of
from tests.packages.used import Used, of_kernels, of_packages

KERNELS = ("liger", "fla", "torchnorm", "saga")
LIMIT = 60.0  # seconds for one cross-check: what was not tried by then is left out

Line = dict[str, Any]


def audited(package: str, after: str = "") -> Iterator[Line]:
    """A line as each call begins, then one for each Function under it; all after one call."""
    warnings.simplefilter("ignore")  # of the packages themselves
    try:
        cases = list(of_kernels(package) if package in KERNELS else of_packages(package))
    except pytest.skip.Exception as missing:  # raised where the package is not installed
        yield {"missing": package, "why": str(missing)}
        return
    torch.set_num_threads(1)
    names = [case.name for case in cases]
    for case in cases[names.index(after) + 1 if after else 0 :]:
        yield {"begun": case.name}
        try:
            yield from _lines(case)
        except Exception as error:  # one call must not end the others
            yield {"stopped": case.name, "why": f"{type(error).__name__}: {error}"}


def _lines(case: Used) -> Iterator[Line]:
    with torchref.audit() as audit:
        error = _applied(case)
    options = {"seconds": LIMIT, **case.always}
    stated = bare = audit.report(**options)
    told = {**case.options}
    if case.expected:
        told["expect"] = dict.fromkeys(audit.seen, case.because)
    if case.references:
        told["references"] = case.references
    if bare.verdict != "right" and told:  # then what its user would state may tell
        stated = audit.report(**options | told)
    accused = stated.verdict not in ("right", "expected") and case.truth == "right"
    off = error_of_the_call(case) if accused and not case.references else None
    for before, row in zip(bare.rows, stated.rows, strict=True):
        file, distribution = _home(row.file)
        if distribution is None:
            continue  # of the tests themselves
        of_case = case.culprit in ("", row.name)
        findings = [f for report in row.reports for f in report.findings]
        yield row.to_dict() | {
            "file": file,
            "reports": [],
            "package": distribution,
            "version": version(distribution),
            "torch": torch.__version__,
            "case": case.name,
            "truth": case.truth if of_case else "right",
            "stated": case.because if of_case else "",
            "error": error,
            "off": off,
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


def _applied(case: Used) -> str:
    """Forward and backward as in a program; the error where the backward raises one."""
    torch.manual_seed(0)
    inputs = [x.requires_grad_() if needs else x for x, needs in case.inputs]
    outputs = outputs_of(case.call, inputs)
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
