"""What `import torchref` and a first cross-check load: nothing slow that only some of it needs."""

import subprocess
import sys

import pytest

IMPORT = "import sys, torchref, torchref.nn"
CROSSCHECK = """
import torch
from torchref.ops import Sigmoid
report = torchref.crosscheck(Sigmoid, torch.sigmoid, (torch.randn(3, 2),))
assert {check.name: check.status for check in report.checks}["vmap"] == "passed", report
"""
SAY = "print(' '.join(sys.modules))"


def loaded_by(*code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", "\n".join((*code, SAY))], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    return loaded_by(IMPORT)


@pytest.mark.parametrize(
    "heavy", ["torch._dynamo", "sympy", "matplotlib", "tensorboard", "sklearn", "torchref.training"]
)
def test_it_does_not_load(loaded: set[str], heavy: str) -> None:
    assert "torchref.checker" in loaded
    assert heavy not in loaded


def test_a_crosscheck_with_vmap_does_not_load_the_compiler() -> None:
    modules = loaded_by(IMPORT, CROSSCHECK)
    assert "torch._dynamo" not in modules
