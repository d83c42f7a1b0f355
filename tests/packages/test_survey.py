"""The survey tells what it left out itself, goes on after it, and where a run was ended."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import Function

from tests.packages.differences import error_of_the_call
from tests.packages.survey import _run, surveyed
from tests.packages.survey_page import page
from tests.packages.used import Used

PLANTED = """
import os
from tests.packages.published import Shelf

FUNCTIONS = Shelf("planted")


@FUNCTIONS.holds(lambda draw: (draw.normal(3),))
def ends(x):
    os._exit(3)


@FUNCTIONS.holds(lambda draw: (draw.normal(3),))
def refuses(x):
    raise ValueError("no such size")
"""


@pytest.mark.slow
def test_the_calls_after_one_that_ends_the_process_are_surveyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "tests" / "packages"
    folder.mkdir(parents=True)
    (folder / "of_planted.py").write_text(PLANTED)
    path = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", f"{path}{os.pathsep}{tmp_path}")
    assert surveyed("planted", 300) == [
        {"stopped": "planted.ends", "why": "ended with exit status 3"},
        {"stopped": "planted.refuses", "why": "ValueError: no such size"},
    ]


def test_a_run_keeps_the_packages_that_are_done_and_no_part_of_one(tmp_path: Path) -> None:
    file, whole = tmp_path / "seen.jsonl", [_line(), {"done": "given", "seconds": 60.0}]
    file.write_text("".join(json.dumps(line) + "\n" for line in [*whole, _line(case="cut.off")]))
    with pytest.raises(SystemExit) as ended:
        _run(file, ["given"])
    assert not ended.value.code
    assert [json.loads(line) for line in file.read_text().splitlines()] == whole


def test_the_page_tells_what_was_left_out_and_what_nobody_judged() -> None:
    told = page(
        [
            _line(),
            {"stopped": "given.slow", "why": "not done after 9 seconds"},
            {"missing": "absent", "why": "absent is not installed"},
            {"missing": "given", "why": "given is not installed"},  # here, and was elsewhere
            {"done": "given", "seconds": 120.0},
        ]
    )
    assert "1 Functions of 1 packages" in told
    assert "2 minutes of one core" in told
    assert "| wrong | 3e-11 | not judged |" in told.replace(", `missing-term` | half of it", "")
    assert "- given.slow: not done after 9 seconds; it was left out" in told
    assert "- absent: absent is not installed; it was left out" in told
    assert "given is not installed" not in told


class Halved(Function):
    @staticmethod
    def forward(_ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(_ctx: Any, g: Tensor) -> Tensor:
        return g / 2


@pytest.mark.parametrize(("by", "is_right"), [(2.0, True), (1.0, False)])
def test_the_error_of_a_call_is_that_of_the_whole(by: float, is_right: bool) -> None:
    def call(x: Tensor) -> Tensor:
        return x.detach() * (1 - by) + Halved.apply(x) * by

    error = error_of_the_call(Used("given.call", call, [(torch.ones(4), True)], "right"))
    assert error is not None
    assert error < 1e-9 if is_right else 0.1 < error < 0.9


def _line(**changed: Any) -> dict[str, Any]:
    return {
        "package": "given",
        "version": "1.0",
        "torch": "2",
        "name": "Halved",
        "file": "given.py",
        "line": 1,
        "case": "given.call",
        "truth": "right",
        "verdict": "wrong",
        "cause": "missing-term",
        "evidence": "half of it",
        "undecided": [],
        "note": "",
        "stated": "",
        "error": "",
        "off": 3e-11,
        "bare": "wrong",
        "bare_cause": "missing-term",
        "bare_hint": "",
        "calls": 1,
        "hazards": [],
        "shapes": [[[3]]],
    } | changed
