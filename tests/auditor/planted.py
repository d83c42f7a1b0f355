"""Functions with one mistake each, as a small network trains through them, and right ones."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function


class Scaled(Function):
    """x², without the 2."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * x


class Sign(Function):
    """exp(−x), without its minus."""

    @staticmethod
    def forward(ctx, x):
        y = torch.exp(-x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        return grad_y * y


class Forgotten(Function):
    """The swish, without the term that goes through the sigmoid."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * torch.sigmoid(x)


class Ignoring(Function):
    """tanh, without grad_output."""

    @staticmethod
    def forward(ctx, x):
        y = torch.tanh(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        return 1 - y * y


class Transposed(Function):
    """x W, with Wᵀ in the place of W."""

    @staticmethod
    def forward(ctx, x, weight):
        ctx.save_for_backward(x, weight)
        return x @ weight

    @staticmethod
    def backward(ctx, grad_y):
        x, weight = ctx.saved_tensors
        return grad_y @ weight, x.T @ grad_y


class Reduced(Function):
    """x + b, with the mean over the batch in the place of the sum."""

    @staticmethod
    def forward(ctx, x, bias):
        return x + bias

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y, grad_y.mean(0)


class InPlace(Function):
    """The sigmoid, with its gradient written into grad_output."""

    @staticmethod
    def forward(ctx, x):
        y = torch.sigmoid(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        return grad_y.mul_(y * (1 - y))


class WritesSaved(Function):
    """cos, that works on what it has saved."""

    @staticmethod
    def forward(ctx, x):
        ctx.kept = x.clone()
        return torch.cos(x)

    @staticmethod
    def backward(ctx, grad_y):
        return -grad_y * ctx.kept.sin_()


class Stale(Function):
    """tanh, with its output kept on the class."""

    latest: Tensor

    @staticmethod
    def forward(ctx, x):
        Stale.latest = torch.tanh(x)
        return Stale.latest.clone()

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y * (1 - Stale.latest**2)


class NoMask(Function):
    """The rectifier, with the gradient of the identity."""

    @staticmethod
    def forward(ctx, x):
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y


class Squared(Function):
    """sin, of grad_output's square."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.sin(x)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y.abs() * torch.cos(x)


class Exchanged(Function):
    """x / y, with the two gradients in each other's place."""

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x / y

    @staticmethod
    def backward(ctx, grad_z):
        x, y = ctx.saved_tensors
        return -grad_z * x / y**2, grad_z / y


class Absent(Function):
    """x y, with no gradient of y."""

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(y)
        return x * y

    @staticmethod
    def backward(ctx, grad_z):
        (y,) = ctx.saved_tensors
        return grad_z * y, None


class Unbroadcast(Function):
    """x times a gain for each column, whose gradient is not summed over the batch."""

    @staticmethod
    def forward(ctx, x, gain):
        ctx.save_for_backward(x, gain)
        return x * gain

    @staticmethod
    def backward(ctx, grad_y):
        x, gain = ctx.saved_tensors
        return grad_y * gain, (grad_y * x)[0]


# The Function, how a layer of four columns applies it, and the cause that should be found.
PLANTED: list[tuple[type[Function], Callable[[Tensor, Tensor, Tensor], Any], str]] = [
    (Scaled, lambda h, matrix, row: Scaled.apply(h), "constant-factor"),
    (Sign, lambda h, matrix, row: Sign.apply(h), "sign-flipped"),
    (Forgotten, lambda h, matrix, row: Forgotten.apply(h), "missing-term"),
    (Ignoring, lambda h, matrix, row: Ignoring.apply(h), "ignores-grad-output"),
    (Transposed, lambda h, matrix, row: Transposed.apply(h, matrix), "transposed"),
    (Reduced, lambda h, matrix, row: Reduced.apply(h, row), "constant-factor"),
    (InPlace, lambda h, matrix, row: InPlace.apply(h), "mutates-grad-output"),
    (Stale, lambda h, matrix, row: Stale.apply(h), "stale-state"),
    (NoMask, lambda h, matrix, row: NoMask.apply(h), "wrong-elements"),
    (Squared, lambda h, matrix, row: Squared.apply(h), "not-linear-in-grad-output"),
    (Exchanged, lambda h, matrix, row: Exchanged.apply(h, h.cos() + 2), "swapped-arguments"),
    (Absent, lambda h, matrix, row: Absent.apply(h, h.cos()), "missing-gradient"),
    (Unbroadcast, lambda h, matrix, row: Unbroadcast.apply(h, row), "missing-reduction"),
]


def train(layer: Callable[[Tensor, Tensor, Tensor], Any], steps: int = 5) -> list[Tensor]:
    """A few steps of a small network through a layer, in float32; its losses and parameters."""
    torch.manual_seed(0)
    first, last = nn.Linear(3, 4), nn.Linear(4, 2)
    matrix = nn.Parameter(torch.randn(4, 4))
    row = nn.Parameter(torch.randn(4))
    parameters = [*first.parameters(), *last.parameters(), matrix, row]
    optimizer = torch.optim.SGD(parameters, lr=0.01)
    losses = []
    for _ in range(steps):
        x, target = torch.randn(8, 3), torch.randn(8, 2)
        optimizer.zero_grad()
        loss = (last(layer(first(x), matrix, row)) - target).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return [*losses, *(p.detach().clone() for p in parameters)]
