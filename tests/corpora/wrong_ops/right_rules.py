"""Right rules that bugs of several families are planted in."""

import torch
from torch.nn import functional as F

from .rule import Rule


class Square(Rule):
    """y = x²."""

    @staticmethod
    def forward(x):
        return x * x

    @staticmethod
    def gradients(grad_y, x):
        return 2 * x * grad_y


class Power(Rule):
    """y = x to a fixed exponent."""

    @staticmethod
    def forward(x, exponent):
        return x**exponent

    @staticmethod
    def gradients(grad_y, x, exponent):
        return grad_y * exponent * x ** (exponent - 1), None


class Sin(Rule):
    """y = sin x."""

    @staticmethod
    def forward(x):
        return x.sin()

    @staticmethod
    def gradients(grad_y, x):
        return grad_y * x.cos()


class Tanh(Rule):
    """y = tanh x."""

    @staticmethod
    def forward(x):
        return x.tanh()

    @staticmethod
    def gradients(grad_y, x):
        return grad_y * (1 - x.tanh() ** 2)


class Softplus(Rule):
    """y = log(1 + exp x)."""

    @staticmethod
    def forward(x):
        return F.softplus(x)

    @staticmethod
    def gradients(grad_y, x):
        return grad_y * x.sigmoid()


class Gelu(Rule):
    """y = x Φ(x)."""

    @staticmethod
    def forward(x):
        return F.gelu(x)

    @staticmethod
    def gradients(grad_y, x):
        density = torch.exp(-x * x / 2) / (2 * torch.pi) ** 0.5
        return grad_y * (torch.special.ndtr(x) + x * density)


class Multiply(Rule):
    """y = left * right."""

    @staticmethod
    def forward(left, right):
        return left * right

    @staticmethod
    def gradients(grad_y, left, right):
        return (grad_y * right).sum_to_size(left.shape), (grad_y * left).sum_to_size(right.shape)


class SwiGlu(Rule):
    """y = silu(gate) * up."""

    @staticmethod
    def forward(gate, up):
        return F.silu(gate) * up

    @staticmethod
    def gradients(grad_y, gate, up):
        sigmoid = gate.sigmoid()
        grad_gate = grad_y * up * sigmoid * (1 + gate * (1 - sigmoid))
        return grad_gate, grad_y * gate * sigmoid


class MatrixProduct(Rule):
    """y = left @ right, for matrices."""

    @staticmethod
    def forward(left, right):
        return torch.mm(left, right)

    @staticmethod
    def gradients(grad_y, left, right):
        return grad_y @ right.t(), left.t() @ grad_y


class Linear(Rule):
    """y = x @ weightᵀ + bias, where bias may be None."""

    @staticmethod
    def forward(x, weight, bias):
        return F.linear(x, weight, bias)

    @staticmethod
    def gradients(grad_y, x, weight, bias):
        grad_rows = grad_y.reshape(-1, len(weight))
        grad_weight = grad_rows.t() @ x.reshape(-1, x.shape[-1])
        return grad_y @ weight, grad_weight, None if bias is None else grad_rows.sum(0)


class Lookup(Rule):
    """y = rows of weight."""

    @staticmethod
    def forward(weight, index):
        return weight[index]

    @staticmethod
    def gradients(grad_y, weight, index):
        return torch.zeros_like(weight).index_put((index,), grad_y, accumulate=True), None
