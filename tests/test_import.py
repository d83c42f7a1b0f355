"""What `import torchref` and a first cross-check load: nothing slow that only some of it needs."""

import subprocess
import sys
from types import ModuleType

import pytest

import torchref
import torchref.testing

IMPORT = "import sys, torchref, torchref.nn; torchref.crosscheck"
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


def test_names_load_when_they_are_used() -> None:
    assert not {"torch", "numpy", "rich"} & loaded_by("import sys, torchref, torchref.testing")
    assert "torch" in loaded_by("import sys, torchref.testing; torchref.testing.Crosscheck")


@pytest.mark.parametrize("package", [torchref, torchref.testing])
def test_every_name_is_found_and_listed(package: ModuleType) -> None:
    for name in package.__all__:
        assert getattr(package, name).__name__ == name
    assert {*package.__all__, "__all__"} <= set(dir(package))
    assert torchref.ops.Sigmoid.__name__ == "Sigmoid"
    assert "explainer" in dir(torchref)


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'torchref' has no attribute 'croscheck'"):
        _ = torchref.croscheck
    with pytest.raises(ImportError, match="cannot import name 'croscheck'"):
        from torchref import croscheck  # noqa: F401
