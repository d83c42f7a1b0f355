"""Suites that pytest runs inside of a test, with the plugin."""

from pathlib import Path

import pytest

# It registers once in a process, and pytester forgets the modules that a suite imports.
import torch._inductor.test_operators  # noqa: F401

OPS = """
import torch


class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return grad_y * s * (1 + x * (1 - s))


class WrongSwish(Swish):
    @staticmethod
    def backward(ctx, grad_y):
        return -Swish.backward(ctx, grad_y)


silu = torch.nn.functional.silu
"""
PLUGIN = "torchref.testing.pytest_plugin"


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with Functions to test; what is run there imports this torchref."""
    pytester.makepyfile(ops=OPS)
    pytester.makeini(f"[pytest]\naddopts = -p {PLUGIN}\npythonpath = .")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    return pytester
