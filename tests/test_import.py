"""What `import torchref` loads: nothing that takes long and that only some of it needs."""

import subprocess
import sys

import pytest

LOADED = "import sys, torchref, torchref.nn; print(' '.join(sys.modules))"


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "heavy", ["torch._dynamo", "sympy", "matplotlib", "tensorboard", "sklearn", "torchref.training"]
)
def test_it_does_not_load(loaded: set[str], heavy: str) -> None:
    assert "torchref.checker" in loaded
    assert heavy not in loaded
