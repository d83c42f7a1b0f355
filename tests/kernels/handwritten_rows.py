"""Handwritten kernels with a program for each row, as tutorials teach them."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from tests.kernels.interpreter import tl, triton


def rows_of(x: Tensor) -> tuple[int, int, int]:
    """How many there are, how long one is, and the power of 2 that holds it."""
    width = x.shape[-1]
    return x.numel() // width, width, triton.next_power_of_2(width)


@triton.jit
def softmax_forward(y, x, width, BLOCK: tl.constexpr):
    row, at = tl.program_id(0), tl.arange(0, BLOCK)
    here = at < width
    z = tl.load(x + row * width + at, mask=here, other=-float("inf")).to(tl.float32)
    powers = tl.exp(z - tl.max(z, axis=0))
    tl.store(y + row * width + at, powers / tl.sum(powers, axis=0), mask=here)


@triton.jit
def softmax_backward(grad_x, grad_y, y, width, BLOCK: tl.constexpr):
    row, at = tl.program_id(0), tl.arange(0, BLOCK)
    here = at < width
    g = tl.load(grad_y + row * width + at, mask=here, other=0.0).to(tl.float32)
    p = tl.load(y + row * width + at, mask=here, other=0.0).to(tl.float32)
    tl.store(grad_x + row * width + at, p * (g - tl.sum(g * p, axis=0)), mask=here)


class Softmax(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        x = x.contiguous()
        rows, width, block = rows_of(x)
        y = torch.empty_like(x)
        softmax_forward[(rows,)](y, x, width, BLOCK=block)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad_y: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        rows, width, block = rows_of(y)
        grad_x = torch.empty_like(y)
        softmax_backward[(rows,)](grad_x, grad_y.contiguous(), y, width, BLOCK=block)
        return grad_x


@triton.jit
def rms_norm_forward(y, x, weight, scale, width, epsilon, BLOCK: tl.constexpr):
    row, at = tl.program_id(0), tl.arange(0, BLOCK)
    here = at < width
    v = tl.load(x + row * width + at, mask=here, other=0.0).to(tl.float32)
    w = tl.load(weight + at, mask=here, other=0.0).to(tl.float32)
    s = 1 / tl.sqrt(tl.sum(v * v, axis=0) / width + epsilon)
    tl.store(scale + row, s)
    tl.store(y + row * width + at, v * s * w, mask=here)


@triton.jit
def rms_norm_backward(grad_x, parts, grad_y, x, weight, scale, width, BLOCK: tl.constexpr):
    row, at = tl.program_id(0), tl.arange(0, BLOCK)
    here = at < width
    v = tl.load(x + row * width + at, mask=here, other=0.0).to(tl.float32)
    g = tl.load(grad_y + row * width + at, mask=here, other=0.0).to(tl.float32)
    w = tl.load(weight + at, mask=here, other=0.0).to(tl.float32)
    s = tl.load(scale + row)
    unit = v * s
    mean = tl.sum(g * w * unit, axis=0) / width
    tl.store(grad_x + row * width + at, s * (g * w - unit * mean), mask=here)
    tl.store(parts + row * width + at, g * unit, mask=here)


class RMSNorm(Function):
    """The rows' shares of the weight's gradient are stored, and summed by torch."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
        x, weight = x.contiguous(), weight.contiguous()
        rows, width, block = rows_of(x)
        y, scale = torch.empty_like(x), x.new_empty(rows, dtype=torch.float32)
        rms_norm_forward[(rows,)](y, x, weight, scale, width, epsilon, BLOCK=block)
        ctx.save_for_backward(x, weight, scale)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor) -> tuple[Tensor, Tensor, None]:
        x, weight, scale = ctx.saved_tensors
        rows, width, block = rows_of(x)
        grad_x, parts = torch.empty_like(x), x.new_empty(rows, width, dtype=torch.float32)
        rms_norm_backward[(rows,)](
            grad_x, parts, grad_y.contiguous(), x, weight, scale, width, BLOCK=block
        )
        return grad_x, parts.sum(0).to(weight.dtype), None


@triton.jit
def layer_norm_forward(y, x, weight, bias, mean, scale, width, epsilon, BLOCK: tl.constexpr):
    row, at = tl.program_id(0), tl.arange(0, BLOCK)
    here = at < width
    v = tl.load(x + row * width + at, mask=here, other=0.0).to(tl.float32)
    w = tl.load(weight + at, mask=here, other=0.0).to(tl.float32)
    b = tl.load(bias + at, mask=here, other=0.0).to(tl.float32)
    m = tl.sum(v, axis=0) / width
    d = tl.where(here, v - m, 0.0)
    s = 1 / tl.sqrt(tl.sum(d * d, axis=0) / width + epsilon)
    tl.store(mean + row, m)
    tl.store(scale + row, s)
    tl.store(y + row * width + at, d * s * w + b, mask=here)


@triton.jit
def layer_norm_backward(
    grad_x, grad_weight, grad_bias, grad_y, x, weight, mean, scale, width, BLOCK: tl.constexpr
):
    row, at = tl.program_id(0), tl.arange(0, BLOCK)
    here = at < width
    v = tl.load(x + row * width + at, mask=here, other=0.0).to(tl.float32)
    g = tl.load(grad_y + row * width + at, mask=here, other=0.0).to(tl.float32)
    w = tl.load(weight + at, mask=here, other=0.0).to(tl.float32)
    s = tl.load(scale + row)
    unit = tl.where(here, (v - tl.load(mean + row)) * s, 0.0)
    along, level = tl.sum(g * w * unit, axis=0) / width, tl.sum(g * w, axis=0) / width
    tl.store(grad_x + row * width + at, s * (g * w - unit * along - level), mask=here)
    tl.atomic_add(grad_weight + at, g * unit, mask=here)
    tl.atomic_add(grad_bias + at, g, mask=here)


class LayerNorm(Function):
    """All rows add into the gradients of weight and bias, in whatever order they come."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, epsilon: float) -> Tensor:
        x, weight, bias = x.contiguous(), weight.contiguous(), bias.contiguous()
        rows, width, block = rows_of(x)
        y, mean = torch.empty_like(x), x.new_empty(rows, dtype=torch.float32)
        scale = torch.empty_like(mean)
        layer_norm_forward[(rows,)](y, x, weight, bias, mean, scale, width, epsilon, BLOCK=block)
        ctx.save_for_backward(x, weight, mean, scale)
        return y

    @staticmethod
    def backward(ctx: Any, grad_y: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        x, weight, mean, scale = ctx.saved_tensors
        rows, width, block = rows_of(x)
        grad_x, grad_weight = torch.empty_like(x), x.new_zeros(width, dtype=torch.float32)
        grad_bias = torch.zeros_like(grad_weight)
        layer_norm_backward[(rows,)](
            grad_x,
            grad_weight,
            grad_bias,
            grad_y.contiguous(),
            x,
            weight,
            mean,
            scale,
            width,
            BLOCK=block,
        )
        return grad_x, grad_weight.to(weight.dtype), grad_bias.to(weight.dtype), None


@triton.jit
def cross_entropy_forward(loss, grad, logits, target, width, BLOCK: tl.constexpr):
    row, at = tl.program_id(0), tl.arange(0, BLOCK)
    here = at < width
    z = tl.load(logits + row * width + at, mask=here, other=-float("inf")).to(tl.float32)
    t = tl.load(target + row)
    top = tl.max(z, axis=0)
    powers = tl.exp(z - top)
    total = tl.sum(powers, axis=0)
    chosen = tl.sum(tl.where(at == t, z, 0.0), axis=0)
    tl.store(loss + row, tl.log(total) + top - chosen)
    tl.store(grad + row * width + at, powers / total - tl.where(at == t, 1.0, 0.0), mask=here)


class CrossEntropy(Function):
    """One loss a row; the gradient is made by the forward, and scaled by the backward."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, target: Tensor) -> Tensor:
        logits, target = logits.contiguous(), target.contiguous()
        rows, width, block = rows_of(logits)
        loss, grad = logits.new_empty(rows), torch.empty_like(logits)
        cross_entropy_forward[(rows,)](loss, grad, logits, target, width, BLOCK=block)
        ctx.save_for_backward(grad)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_loss: Tensor) -> tuple[Tensor, None]:
        (grad,) = ctx.saved_tensors
        return grad * grad_loss[:, None], None
