"""Formulas that divide by zero, or change their mind, at one exact point."""

import torch
from torch.nn import functional as F

from .planted import PlantedBug, SavesInputs, leaf, normal, normals, with_entries


class RowNorm(SavesInputs):
    """y = Euclidean norm of each row; the gradient at a zero row is zero."""

    @staticmethod
    def forward(x):
        return torch.linalg.vector_norm(x, dim=-1)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        return grad_y.unsqueeze(-1) * x / torch.where(norm == 0, 1, norm)


class RowNormDividingByZero(RowNorm):
    """x / ‖x‖ at every row, zero or not."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        return grad_y.unsqueeze(-1) * x / norm


class Deviation(SavesInputs):
    """y = unbiased standard deviation of all entries; its gradient is zero where y is zero."""

    @staticmethod
    def forward(x):
        return x.std()

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        y = x.std()
        return grad_y * (x - x.mean()) / (torch.where(y == 0, 1, y) * (x.numel() - 1))


class DeviationDividingByZero(Deviation):
    """Divides by y, which is zero when all entries are equal."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * (x - x.mean()) / (x.std() * (x.numel() - 1))


class RootDistance(SavesInputs):
    """y[i, j] = (Σ √|x1[i] - x2[j]|)², the p-distance of p = ½ between rows."""

    @staticmethod
    def forward(x1, x2):
        return torch.cdist(x1, x2, p=0.5)

    @staticmethod
    def backward(ctx, grad_y):
        x1, x2 = ctx.saved_tensors
        difference = x1.unsqueeze(-2) - x2.unsqueeze(-3)
        magnitude = difference.abs()
        root = torch.where(magnitude == 0, 1, magnitude).sqrt()
        distance_root = torch.where(magnitude == 0, 0, root).sum(-1, keepdim=True)
        grad_difference = grad_y.unsqueeze(-1) * difference.sign() * distance_root / root
        return grad_difference.sum(-2), -grad_difference.sum(-3)


class RootDistanceOfNegativePower(RootDistance):
    """Raises a coincident coordinate, zero, to the power -½."""

    @staticmethod
    def backward(ctx, grad_y):
        x1, x2 = ctx.saved_tensors
        difference = x1.unsqueeze(-2) - x2.unsqueeze(-3)
        distance_root = difference.abs().sqrt().sum(-1, keepdim=True)
        slope = difference.sign() * difference.abs() ** -0.5 * distance_root
        grad_difference = grad_y.unsqueeze(-1) * slope
        return grad_difference.sum(-2), -grad_difference.sum(-3)


class LogSigmoid(SavesInputs):
    """y = log σ(x)."""

    @staticmethod
    def forward(x):
        return F.logsigmoid(x)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * torch.sigmoid(-x)


class LogSigmoidWithKink(LogSigmoid):
    """A formula of two branches that is zero where they meet."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * torch.sigmoid(-x) * x.sign().abs()


class LeakyRelu(SavesInputs):
    """y = x where x > 0, slope · x elsewhere."""

    @staticmethod
    def forward(x, slope):
        return F.leaky_relu(x, slope)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        (slope,) = ctx.options
        return torch.where(x > 0, grad_y, slope * grad_y), None


class LeakyReluWithoutLeak(LeakyRelu):
    """The gradient of relu: wrong for negative inputs only."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return torch.where(x > 0, grad_y, 0), None


class Exp(SavesInputs):
    """y = exp x."""

    @staticmethod
    def forward(x):
        return x.exp()

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * x.exp()


class ExpRefusingZero(Exp):
    """Backward has no case for an exact zero."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        if (x == 0).any():
            raise ZeroDivisionError("no rule for zero")
        return Exp.backward(ctx, grad_y)


def constant_entries(_generator):
    return (leaf(torch.full((4, 3), 1.25, dtype=torch.float64)),)


def coincident_coordinate(generator):
    x1, x2 = normal(generator, 4, 3).detach(), normal(generator, 5, 3).detach()
    x2[1, 2] = x1[0, 2]
    return leaf(x1), leaf(x2)


def leaky_inputs(generator):
    return normal(generator, 6, 3), 0.2


def value_at_bug(name, wrong, right, reference, ordinary, tripping, source, *causes):
    return PlantedBug(name, wrong, right, reference, ordinary, tripping, causes, source)


def not_finite_bug(*arguments):
    return value_at_bug(*arguments, "not-finite")


BUGS = (
    not_finite_bug(
        "norm divides by a zero norm",
        RowNormDividingByZero,
        RowNorm,
        lambda x: torch.linalg.vector_norm(x, dim=-1),
        normals((4, 3)),
        with_entries((4, 3), {(1, 0): 0, (1, 1): 0, (1, 2): 0}),
        "pytorch/pytorch#2421",
    ),
    not_finite_bug(
        "deviation divides by itself at a constant",
        DeviationDividingByZero,
        Deviation,
        torch.std,
        normals((4, 3)),
        constant_entries,
        "pytorch/pytorch#4320",
    ),
    not_finite_bug(
        "root distance takes a negative power of a coincident coordinate",
        RootDistanceOfNegativePower,
        RootDistance,
        lambda x1, x2: torch.cdist(x1, x2, p=0.5),
        normals((4, 3), (5, 3)),
        coincident_coordinate,
        "pytorch/pytorch#36493",
    ),
    value_at_bug(
        "log sigmoid is flat at zero",
        LogSigmoidWithKink,
        LogSigmoid,
        F.logsigmoid,
        normals((5, 3)),
        with_entries((5, 3), {(2, 1): 0}),
        "jax-ml/jax#2140",
        "wrong-elements",
    ),
    value_at_bug(
        "leaky relu stops its leak",
        LeakyReluWithoutLeak,
        LeakyRelu,
        F.leaky_relu,
        leaky_inputs,
        leaky_inputs,
        "wrong for negative inputs only",
        "wrong-elements",
    ),
    value_at_bug(
        "exp backward refuses a zero",
        ExpRefusingZero,
        Exp,
        torch.exp,
        normals((5, 4)),
        with_entries((5, 4), {(3, 2): 0}),
        "an unhandled case",
        "raises",
    ),
)
