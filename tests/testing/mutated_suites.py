"""Small suites of strong, weak and hanging tests, for `torchref mutate` to plant mistakes in."""

from pathlib import Path

KERNELS = """
import torch
from torch.autograd import Function
from torchref.ops.op import Op, save_inputs

class Swish(Function):
    @staticmethod
    def forward(ctx, x, beta):
        ctx.save_for_backward(x, beta)
        return x * torch.sigmoid(beta * x)

    @staticmethod
    def backward(ctx, grad_y):
        x, beta = ctx.saved_tensors
        s = torch.sigmoid(beta * x)
        return grad_y * (s + beta * x * s * (1 - s)), (grad_y * x * x * s * (1 - s)).sum(0)

class Square(Op):
    @staticmethod
    def forward(x):
        return x * x

    setup_context = staticmethod(save_inputs)

    @staticmethod
    def backward(ctx, grad_y):
        return 2 * ctx.saved_tensors[0] * grad_y

    @staticmethod
    def tangent(ctx, dx):
        return 2 * ctx.saved_tensors[0] * dx

swish = Swish.apply
square = Square.call

@torch.library.custom_op("mutated::cube", mutates_args=())
def cube(x: torch.Tensor) -> torch.Tensor:
    return x * x * x

cube.register_autograd(
    lambda ctx, grad_y: 3 * ctx.saved_tensors[0] ** 2 * grad_y,
    setup_context=lambda ctx, inputs, output: ctx.save_for_backward(*inputs),
)
"""
STRONG = """
import torch, pytest
from torch.autograd import Function
from kernels import cube, square, swish

class OfTheTests(Function):
    forward = staticmethod(lambda ctx, x: x * 1)
    backward = staticmethod(lambda ctx, grad_y: grad_y)

def judge(call, twin, *shapes):
    inputs = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    y = call(*inputs)
    OfTheTests.apply(y.detach().requires_grad_()).sum().backward()
    cotangent = torch.randn_like(y)
    kept = cotangent.clone()
    got = torch.autograd.grad(y, inputs, cotangent)
    assert torch.equal(cotangent, kept)
    torch.testing.assert_close(got, torch.autograd.grad(twin(*inputs), inputs, kept))

@pytest.mark.parametrize("n", [1, 4])
def test_swish(n, tmp_path):
    (tmp_path / "is mine").touch()
    judge(swish, lambda x, beta: x * torch.sigmoid(beta * x), (n, 3), (3,))

def test_square():
    judge(square, lambda x: x**2, (3, 3))

def test_cube():
    judge(cube, lambda x: x**3, (3, 3))

@pytest.mark.skip(reason="not today")  # it must not count as a test that catches
def test_later():
    square(torch.ones(()))
"""
SQUARE = (
    STRONG[: STRONG.index("@pytest")]
    + STRONG[STRONG.index("def test_square") : STRONG.index("def test_cube")]
)
WEAK = """
import torch
from kernels import cube, square, swish

def test_swish_summed():
    x, beta = torch.randn(4, 3, requires_grad=True), torch.randn(3, requires_grad=True)
    swish(x, beta).sum().backward()
    got = x.grad, beta.grad
    x.grad = beta.grad = None
    (x * torch.sigmoid(beta * x)).sum().backward()
    torch.testing.assert_close(got, (x.grad, beta.grad))

def test_square_forward():
    x = torch.randn(3, requires_grad=True)
    torch.testing.assert_close(square(x), x * x)
    cube(x)  # whatever it imports the first time

def test_cube_descends():
    x = torch.ones(3, requires_grad=True)
    while x.detach().abs().max() > 0.5:  # a wrong sign leads away from it for ever
        (gradient,) = torch.autograd.grad(cube(x).sum(), x)
        x = (x - 0.1 * gradient).clamp(-2, 2).detach().requires_grad_()
"""
HANGS = """
import os, torch
from pathlib import Path
from kernels import square

def test_square():
    x = torch.ones(3, requires_grad=True)
    square(x).backward(torch.ones(3))
    if "told" not in os.environ:
        return
    while not torch.equal(x.grad, torch.full((3,), 2.0)):
        Path(os.environ["told"]).write_text(str(os.getpid()))
"""


def suite(folder: Path, tests: str) -> Path:
    (folder / "kernels.py").write_text(KERNELS)
    (folder / "test_kernels.py").write_text(tests)
    (folder / "pytest.ini").write_text(
        f"[pytest]\naddopts = -n 2 --junitxml={folder}/junit.xml --basetemp={folder}/temporary\n"
    )
    return folder
