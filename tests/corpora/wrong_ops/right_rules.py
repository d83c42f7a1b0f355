"""Right rules that bugs of several families are planted in."""

import torch
from torch.nn import functional as F

from .rule import gradients_of


@gradients_of(lambda x: x * x)
def Square(grad_y, x):
    """y = x²."""
    return 2 * x * grad_y


@gradients_of(lambda x, exponent: x**exponent)
def Power(grad_y, x, exponent):
    """y = x to a fixed exponent."""
    return grad_y * exponent * x ** (exponent - 1), None


@gradients_of(lambda x: x.sin())
def Sin(grad_y, x):
    """y = sin x."""
    return grad_y * x.cos()


@gradients_of(lambda x: x.tanh())
def Tanh(grad_y, x):
    """y = tanh x."""
    return grad_y * (1 - x.tanh() ** 2)


@gradients_of(lambda x: F.softplus(x))
def Softplus(grad_y, x):
    """y = log(1 + exp x)."""
    return grad_y * x.sigmoid()


@gradients_of(lambda x: F.gelu(x))
def Gelu(grad_y, x):
    """y = x Φ(x)."""
    density = torch.exp(-x * x / 2) / (2 * torch.pi) ** 0.5
    return grad_y * (torch.special.ndtr(x) + x * density)


@gradients_of(lambda left, right: left * right)
def Multiply(grad_y, left, right):
    """y = left * right."""
    return (grad_y * right).sum_to_size(left.shape), (grad_y * left).sum_to_size(right.shape)


@gradients_of(lambda gate, up: F.silu(gate) * up)
def SwiGlu(grad_y, gate, up):
    """y = silu(gate) * up."""
    sigmoid = gate.sigmoid()
    grad_gate = grad_y * up * sigmoid * (1 + gate * (1 - sigmoid))
    return grad_gate, grad_y * gate * sigmoid


@gradients_of(lambda left, right: torch.mm(left, right))
def MatrixProduct(grad_y, left, right):
    """y = left @ right, for matrices."""
    return grad_y @ right.t(), left.t() @ grad_y


@gradients_of(lambda x, weight, bias: F.linear(x, weight, bias))
def Linear(grad_y, x, weight, bias):
    """y = x @ weightᵀ + bias, where bias may be None."""
    grad_rows = grad_y.reshape(-1, len(weight))
    grad_weight = grad_rows.t() @ x.reshape(-1, x.shape[-1])
    return grad_y @ weight, grad_weight, None if bias is None else grad_rows.sum(0)


@gradients_of(lambda weight, index: weight[index])
def Lookup(grad_y, weight, index):
    """y = rows of weight."""
    return torch.zeros_like(weight).index_put((index,), grad_y, accumulate=True), None
