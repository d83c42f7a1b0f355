"""Handwritten kernels with a program for each block of entries, and a matrix product."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from tests.kernels.interpreter import tl, triton

BLOCK = 32


def blocks_of(x: Tensor) -> tuple[int]:
    return (triton.cdiv(x.numel(), BLOCK),)


@triton.jit
def swiglu_forward(y, a, b, count, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    here = at < count
    u = tl.load(a + at, mask=here, other=0.0).to(tl.float32)
    v = tl.load(b + at, mask=here, other=0.0).to(tl.float32)
    tl.store(y + at, u * tl.sigmoid(u) * v, mask=here)


@triton.jit
def swiglu_backward(grad_a, grad_b, grad_y, a, b, count, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    here = at < count
    u = tl.load(a + at, mask=here, other=0.0).to(tl.float32)
    v = tl.load(b + at, mask=here, other=0.0).to(tl.float32)
    g = tl.load(grad_y + at, mask=here, other=0.0).to(tl.float32)
    s = tl.sigmoid(u)
    tl.store(grad_a + at, g * v * s * (1 + u * (1 - s)), mask=here)
    tl.store(grad_b + at, g * u * s, mask=here)


class SwiGLU(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        a, b = a.contiguous(), b.contiguous()
        y = torch.empty_like(a)
        swiglu_forward[blocks_of(a)](y, a, b, a.numel(), BLOCK=BLOCK)
        ctx.save_for_backward(a, b)
        return y

    @staticmethod
    def backward(ctx: Any, grad_y: Tensor) -> tuple[Tensor, Tensor]:
        a, b = ctx.saved_tensors
        grad_a, grad_b = torch.empty_like(a), torch.empty_like(b)
        swiglu_backward[blocks_of(a)](
            grad_a, grad_b, grad_y.contiguous(), a, b, a.numel(), BLOCK=BLOCK
        )
        return grad_a, grad_b


@triton.jit
def tanh_of(x):
    return 2 * tl.sigmoid(2 * x) - 1


@triton.jit
def gelu_forward(y, x, count, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    here = at < count
    u = tl.load(x + at, mask=here, other=0.0).to(tl.float32)
    t = tanh_of(0.7978845608028654 * (u + 0.044715 * u * u * u))
    tl.store(y + at, 0.5 * u * (1 + t), mask=here)


@triton.jit
def gelu_backward(grad_x, grad_y, x, count, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    here = at < count
    u = tl.load(x + at, mask=here, other=0.0).to(tl.float32)
    g = tl.load(grad_y + at, mask=here, other=0.0).to(tl.float32)
    t = tanh_of(0.7978845608028654 * (u + 0.044715 * u * u * u))
    slope = 0.7978845608028654 * (1 + 3 * 0.044715 * u * u)
    tl.store(grad_x + at, g * 0.5 * (1 + t + u * (1 - t * t) * slope), mask=here)


class GELU(Function):
    """1 + tanh cancels where x is negative: few digits are left there, in kernel and formula."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        x = x.contiguous()
        y = torch.empty_like(x)
        gelu_forward[blocks_of(x)](y, x, x.numel(), BLOCK=BLOCK)
        ctx.save_for_backward(x)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        grad_x = torch.empty_like(x)
        gelu_backward[blocks_of(x)](grad_x, grad_y.contiguous(), x, x.numel(), BLOCK=BLOCK)
        return grad_x


@triton.jit
def product(c, a, b, rows, inner, columns, a_row, a_column, b_row, b_column, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    j = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    total = tl.zeros((BLOCK, BLOCK), dtype=tl.float32)
    for start in range(0, inner, BLOCK):
        k = start + tl.arange(0, BLOCK)
        left = tl.load(
            a + i[:, None] * a_row + k[None, :] * a_column,
            mask=(i[:, None] < rows) & (k[None, :] < inner),
            other=0.0,
        )
        right = tl.load(
            b + k[:, None] * b_row + j[None, :] * b_column,
            mask=(k[:, None] < inner) & (j[None, :] < columns),
            other=0.0,
        )
        total = tl.dot(left, right, total, input_precision="ieee")
    inside = (i[:, None] < rows) & (j[None, :] < columns)
    tl.store(c + i[:, None] * columns + j[None, :], total, mask=inside)


def multiplied(a: Tensor, b: Tensor) -> Tensor:
    """Their product, whatever their strides."""
    (rows, inner), columns = a.shape, b.shape[1]
    c = a.new_empty(rows, columns)
    grid = (triton.cdiv(rows, 16), triton.cdiv(columns, 16))
    product[grid](c, a, b, rows, inner, columns, *a.stride(), *b.stride(), BLOCK=16)
    return c


class LinearReLU(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        y = (multiplied(x, weight.T) + bias).relu()
        ctx.save_for_backward(x, weight, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad_y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, weight, y = ctx.saved_tensors
        grad_z = grad_y * (y > 0)
        return multiplied(grad_z, weight), multiplied(grad_z.T, x), grad_z.sum(0)
