"""Formulas that divide by zero, or change their mind, at one exact point."""

import torch
from torch.nn import functional as F

from tests.corpora.rows import constant_rows
from tests.random_inputs import followed_by, leaf, normal, normals, with_entries

from .planted import at, wrong_backward
from .rule import gradients_of


@gradients_of(lambda x: torch.linalg.vector_norm(x, dim=-1))
def RowNorm(grad_y, x):
    """y = Euclidean norm of each row; the gradient at a zero row is zero."""
    norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return grad_y.unsqueeze(-1) * x / torch.where(norm == 0, 1, norm)


@wrong_backward(RowNorm, "not-finite", source="pytorch/pytorch#2421")
@at(normals((4, 3)), tripping=with_entries((4, 3), {(1, 0): 0, (1, 1): 0, (1, 2): 0}))
def norm_divides_by_a_zero_norm(grad_y, x):
    """x / ‖x‖ at every row, zero or not."""
    norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return grad_y.unsqueeze(-1) * x / norm


@gradients_of(lambda x: x.std())
def Deviation(grad_y, x):
    """y = unbiased standard deviation of all entries; its gradient is zero where y is zero."""
    y = x.std()
    return grad_y * (x - x.mean()) / (torch.where(y == 0, 1, y) * (x.numel() - 1))


@wrong_backward(Deviation, "not-finite", source="pytorch/pytorch#4320")
@at(normals((4, 3)), tripping=constant_rows)
def deviation_divides_by_itself_at_a_constant(grad_y, x):
    """Divides by y, which is zero when all entries are equal."""
    return grad_y * (x - x.mean()) / (x.std() * (x.numel() - 1))


@gradients_of(lambda x1, x2: torch.cdist(x1, x2, p=0.5))
def RootDistance(grad_y, x1, x2):
    """y[i, j] = (Σ √|x1[i] - x2[j]|)², the p-distance of p = ½ between rows."""
    difference = x1.unsqueeze(-2) - x2.unsqueeze(-3)
    magnitude = difference.abs()
    root = torch.where(magnitude == 0, 1, magnitude).sqrt()
    distance_root = torch.where(magnitude == 0, 0, root).sum(-1, keepdim=True)
    grad_difference = grad_y.unsqueeze(-1) * difference.sign() * distance_root / root
    return grad_difference.sum(-2), -grad_difference.sum(-3)


def coincident_coordinate(generator):
    x1, x2 = normal(generator, 4, 3).detach(), normal(generator, 5, 3).detach()
    x2[1, 2] = x1[0, 2]
    return leaf(x1), leaf(x2)


@wrong_backward(RootDistance, "not-finite", source="pytorch/pytorch#36493")
@at(normals((4, 3), (5, 3)), tripping=coincident_coordinate)
def root_distance_takes_a_negative_power_of_a_coincident_coordinate(grad_y, x1, x2):
    """Raises a coincident coordinate, zero, to the power -½."""
    difference = x1.unsqueeze(-2) - x2.unsqueeze(-3)
    distance_root = difference.abs().sqrt().sum(-1, keepdim=True)
    slope = difference.sign() * difference.abs() ** -0.5 * distance_root
    grad_difference = grad_y.unsqueeze(-1) * slope
    return grad_difference.sum(-2), -grad_difference.sum(-3)


@gradients_of(lambda x: F.logsigmoid(x))
def LogSigmoid(grad_y, x):
    """y = log σ(x)."""
    return grad_y * torch.sigmoid(-x)


@wrong_backward(LogSigmoid, "wrong-elements", source="jax-ml/jax#2140")
@at(normals((5, 3)), tripping=with_entries((5, 3), {(2, 1): 0}))
def log_sigmoid_is_flat_at_zero(grad_y, x):
    """A formula of two branches that is zero where they meet."""
    return grad_y * torch.sigmoid(-x) * x.sign().abs()


@gradients_of(lambda x, slope: F.leaky_relu(x, slope))
def LeakyRelu(grad_y, x, slope):
    """y = x where x > 0, slope · x elsewhere."""
    return torch.where(x > 0, grad_y, slope * grad_y), None


@wrong_backward(LeakyRelu, "wrong-elements", source="wrong for negative inputs only")
@at(followed_by(normals((6, 3)), 0.2))
def leaky_relu_stops_its_leak(grad_y, x, slope):
    """The gradient of relu: wrong for negative inputs only."""
    return torch.where(x > 0, grad_y, 0), None


@gradients_of(lambda x: x.exp())
def Exp(grad_y, x):
    """y = exp x."""
    return grad_y * x.exp()


@wrong_backward(Exp, "raises", source="an unhandled case")
@at(normals((5, 4)), tripping=with_entries((5, 4), {(3, 2): 0}))
def exp_backward_refuses_a_zero(grad_y, x):
    if (x == 0).any():
        raise ZeroDivisionError("no rule for zero")
    return Exp.gradients(grad_y, x)
