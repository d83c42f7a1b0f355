"""What the interpreter is mended in computes as torch does."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tests.kernels.interpreter import DEVICE, libdevice, tl, triton

BLOCK = 16


@triton.jit
def copy(out, x, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    tl.store(out + at, tl.load(x + at))


@triton.jit
def combine(out, a, b, factor, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    u, v = tl.load(a + at), tl.load(b + at)
    tl.store(out + at, tl.where(u > v, u * v + factor, tl.abs(u - v)))


@triton.jit
def through_the_library(out, x, name: tl.constexpr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    tl.store(out + at, name(tl.load(x + at)))


@triton.jit
def sum_and_peak(out, x, BLOCK: tl.constexpr):
    v = tl.load(x + tl.arange(0, BLOCK))
    tl.store(out, tl.sum(v, axis=0))
    tl.store(out + 1, tl.max(v, axis=0))


@triton.jit
def add_into(out, at, x, BLOCK: tl.constexpr):
    here = tl.arange(0, BLOCK)
    tl.atomic_add(out + tl.load(at + here), tl.load(x + here), mask=here < BLOCK - 1)


def normal(dtype: torch.dtype) -> Tensor:
    return torch.randn(BLOCK).to(DEVICE, dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_arithmetic_and_comparison(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    a, b, out = normal(dtype), normal(dtype), normal(dtype)
    combine[(1,)](out, a, b, 0.5, BLOCK=BLOCK)
    expected = torch.where(a > b, a * b + 0.5, (a - b).abs())
    torch.testing.assert_close(out, expected, rtol=torch.finfo(dtype).eps, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_reductions(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    x, out = normal(dtype), torch.empty(2, dtype=dtype, device=DEVICE)
    sum_and_peak[(1,)](out, x, BLOCK=BLOCK)
    assert torch.equal(out[1], x.max())
    # The sum is kept in bfloat16 on the way where it is added up in bfloat16.
    torch.testing.assert_close(out[0], x.sum(), rtol=0, atol=BLOCK * torch.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_atomic_additions_to_one_place(dtype: torch.dtype) -> None:
    at = torch.arange(BLOCK, device=DEVICE) % 3
    x, out = torch.ones(BLOCK, dtype=dtype, device=DEVICE), torch.zeros(3, device=DEVICE).to(dtype)
    add_into[(1,)](out, at, x, BLOCK=BLOCK)
    assert out.tolist() == [5, 5, 5]


@pytest.mark.parametrize("value", [1 + 2**-8, 1 + 3 * 2**-8, -3e-39, 3.4e38, float("inf")])
def test_a_bfloat16_is_rounded_to_the_nearest(value: float) -> None:
    x = torch.full((BLOCK,), value, device=DEVICE)
    out = torch.empty(BLOCK, dtype=torch.bfloat16, device=DEVICE)
    copy[(1,)](out, x, BLOCK=BLOCK)
    assert torch.equal(out, x.bfloat16())


@pytest.mark.parametrize(
    ("name", "of_torch"),
    [("tanh", torch.tanh), ("rsqrt", torch.rsqrt), ("erf", torch.erf), ("expm1", torch.expm1)],
)
def test_the_library_of_the_device(name: str, of_torch: Callable[[Tensor], Tensor]) -> None:
    x = torch.linspace(0.1, 2, BLOCK, device=DEVICE)
    out = torch.empty_like(x)
    through_the_library[(1,)](out, x, getattr(libdevice, name), BLOCK=BLOCK)
    torch.testing.assert_close(out, of_torch(x))
