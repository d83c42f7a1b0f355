"""Files to check: those of the page `docs/check.md`, and one of many Functions."""

import re
from pathlib import Path

from tests.programs import SINE

PAGE = (Path(__file__).parents[2] / "docs" / "check.md").read_text(encoding="utf-8")
KERNELS, CASES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SHOWN = re.findall(r"```\n(BiasGelu.*?)```", PAGE, re.DOTALL)[0].rstrip()
IMPORTS = """
import os, signal, sys, torch
print("printed at import")
"""
OTHERS = """
class Flipped(Sine):
    @staticmethod
    def backward(ctx, grad_y):
        return -Sine.backward(ctx, grad_y)

class Raises(Sine):
    @staticmethod
    def backward(ctx, grad_y):
        raise RuntimeError("no luck [red]")

class Leaves(Sine):
    @staticmethod
    def backward(ctx, grad_y):
        sys.exit(0)

class Stopped(Sine):
    @staticmethod
    def backward(ctx, grad_y):
        signal.raise_signal(signal.SIGINT)

class Aborts(Sine):
    @staticmethod
    def backward(ctx, grad_y):
        os.abort()

class Bare(torch.autograd.Function): pass
class Misfit(Sine): pass
class Without(Sine): pass
def twice(x, by: int = 2): return by * x
class Scale(torch.nn.Module):
    def __init__(self, n=1):
        super().__init__()
        self.w = torch.nn.Parameter(torch.ones(3))
    def forward(self, x): return x * self.w
class Needs(torch.nn.Module):
    def __init__(self, n): super().__init__()
class Plain: pass
lock = __import__("threading").Lock()
def sine(x): return torch.sin(x)
def x(): return torch.randn(3)
def one_by_one():
    yield torch.randn(3)
    yield (torch.randn(2),)
def fails(): raise ValueError("no luck")
def empty(): return []
def typo(): return {"input": 3}
def small(x): return x < 100
sine_reference = torch.sin
"""
MANY = IMPORTS + SINE + OTHERS
ENTRIES = {
    "Sine": "[(x(),), {'x': x()}]",
    "flipped": "x()",
    "Raises": "(x(),)",
    "twice": "{'inputs': (x(),), 'reference': lambda x, by=2: x + x}",
    "Misfit": "(x(), x())",
    "gone": "x()",
    "Leaves": "x()",
}
