"""Functions that are right for what their program gives them, and the same with one mistake.

Each is made by a function of the number that its gradient is multiplied by: 1 is right.
"""

from collections.abc import Callable

import torch
from torch.autograd import Function

Made = Callable[[float], type[Function]]


def through_objects(factor: float) -> type[Function]:
    """Runs what it is given, with the weights that this holds, and runs it again backwards."""

    class Through(Function):
        @staticmethod
        def forward(ctx, x, network, *weights):
            ctx.network = network
            ctx.save_for_backward(x, *weights)
            return network(x)

        @staticmethod
        def backward(ctx, grad_y):
            x, *weights = ctx.saved_tensors
            with torch.enable_grad():
                x = x.detach().requires_grad_()
                y = ctx.network(x)
            of_x, *of_weights = torch.autograd.grad(y, (x, *weights), grad_y, allow_unused=True)
            return of_x, None, *(g * factor for g in of_weights)

    return Through


def inverse(factor: float) -> type[Function]:
    """The solution for a symmetric matrix, whose gradient is symmetric as well."""

    class Inverse(Function):
        @staticmethod
        def forward(ctx, a, b):
            y = torch.cholesky_solve(b, torch.linalg.cholesky(a))
            ctx.save_for_backward(a, y)
            return y

        @staticmethod
        def backward(ctx, grad_y):
            a, y = ctx.saved_tensors
            of_b = torch.linalg.solve(a, grad_y)
            of_a = -of_b @ y.mT
            return (of_a + of_a.mT) / 2 * factor, of_b

    return Inverse


def inverse_of_a_root(factor: float) -> type[Function]:
    """The solution for a lower triangular matrix, with a gradient above its diagonal too."""

    class InverseOfARoot(Function):
        @staticmethod
        def forward(ctx, root, b):
            y = torch.linalg.solve_triangular(root, b, upper=False)
            ctx.save_for_backward(root, y)
            return y

        @staticmethod
        def backward(ctx, grad_y):
            root, y = ctx.saved_tensors
            of_b = torch.linalg.solve_triangular(root.mT, grad_y, upper=True)
            return -of_b @ y.mT * factor, of_b

    return InverseOfARoot


def product_with_sparse(factor: float) -> type[Function]:
    class ProductWithSparse(Function):
        @staticmethod
        def forward(ctx, matrix, x):
            ctx.matrix = matrix
            return matrix @ x

        @staticmethod
        def backward(ctx, grad_y):
            return None, ctx.matrix.mT @ grad_y * factor

    return ProductWithSparse


def logarithm_by_mean(factor: float) -> type[Function]:
    """The logarithm, with a slope by a mean of earlier inputs, that begins with this one."""

    class LogarithmByMean(Function):
        @staticmethod
        def forward(ctx, x, mean):
            ctx.save_for_backward(mean)
            return x.log()

        @staticmethod
        def backward(ctx, grad_y):
            (mean,) = ctx.saved_tensors
            return grad_y / mean * factor, None

    return LogarithmByMean


def root_by_steps(factor: float) -> type[Function]:
    """The square root, with a slope that is solved for by too few steps."""

    class RootBySteps(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.sqrt()

        @staticmethod
        def backward(ctx, grad_y):
            (x,) = ctx.saved_tensors
            y = 1.05 * x.sqrt()
            for _ in range(3):
                y = (y + x / y) / 2
            return grad_y / (2 * y) * (1 + 1e-7 * x.cos()) * factor

    return RootBySteps


def basis(factor: float) -> type[Function]:
    """An orthonormal basis of what lies across the rows; how it turns in itself, nobody asks."""

    class Basis(Function):
        @staticmethod
        def forward(ctx, x):
            v = torch.linalg.svd(x).Vh[len(x) :].mT
            ctx.save_for_backward(x, v)
            return v.contiguous()

        @staticmethod
        def backward(ctx, grad_v):
            x, v = ctx.saved_tensors
            return -torch.linalg.pinv(x).mT @ grad_v @ v.mT * factor

    return Basis


def unit(factor: float) -> type[Function]:
    """The direction of each row; an epsilon bounds its gradient."""

    class Unit(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x / x.norm(dim=-1, keepdim=True)

        @staticmethod
        def backward(ctx, grad_y):
            (x,) = ctx.saved_tensors
            n = x.norm(dim=-1, keepdim=True)
            across = grad_y - x / n * (x / n * grad_y).sum(-1, keepdim=True)
            return across * n / (n * n + 1e-12) * factor

    return Unit


def modulus(factor: float) -> type[Function]:
    """Of complex numbers as pairs: it reads two entries of a row, and has a slope for each."""

    class Modulus(Function):
        @staticmethod
        def forward(ctx, x):
            y = (x[..., 0] ** 2 + x[..., 1] ** 2).sqrt()
            ctx.save_for_backward(x, y)
            return y

        @staticmethod
        def backward(ctx, grad_y):
            x, y = ctx.saved_tensors
            return x * (grad_y / y)[..., None] * factor

    return Modulus


def exponential(factor: float) -> type[Function]:
    """From a turn to its unit quaternion, whose cotangent is in the space that turns are in."""

    class Exponential(Function):
        @staticmethod
        def forward(ctx, turn):
            angle = turn.norm(dim=-1, keepdim=True) / 2
            return torch.cat([torch.sinc(angle / torch.pi) * turn / 2, angle.cos()], -1)

        @staticmethod
        def backward(ctx, grad_y):
            return grad_y[..., :3] * factor

    return Exponential


def rotated(factor: float) -> type[Function]:
    """A point turned by a quaternion, whose gradient is that of turning it further, and a 0."""

    class Rotated(Function):
        @staticmethod
        def forward(ctx, q, point):
            v, w = q[..., :3], q[..., 3:]
            across = 2 * torch.linalg.cross(v, point)
            y = point + w * across + torch.linalg.cross(v, across)
            ctx.save_for_backward(q, y)
            return y

        @staticmethod
        def backward(ctx, grad_y):
            q, y = ctx.saved_tensors
            v, w = -q[..., :3], q[..., 3:]
            across = 2 * torch.linalg.cross(v, grad_y)
            back = grad_y + w * across + torch.linalg.cross(v, across)
            turning = torch.linalg.cross(y, grad_y)
            return torch.cat([turning, torch.zeros_like(turning[..., :1])], -1), back * factor

    return Rotated
