"""Right on paper, lost in rounding."""

import torch

from tests.random_inputs import leaf, normal, normals

from .planted import at, wrong_backward, wrong_forward
from .right_rules import MatrixProduct, Sin
from .rule import gradients_of

CHUNK = 2


def many_rows_of_bfloat16(generator):
    x, weight = normal(generator, 4096, 3), normal(generator, 3, 4)
    return leaf(x.detach().abs().bfloat16()), leaf(weight.bfloat16())


@wrong_backward(MatrixProduct, "precision-loss", source="linkedin/Liger-Kernel#1391")
@at(normals((300, 3), (3, 4)), tripping=many_rows_of_bfloat16)
def grad_right_is_accumulated_in_bfloat16(grad_y, left, right):
    """It is summed over chunks of rows in the dtype of right."""
    grad_right = torch.zeros_like(right)
    for left_chunk, grad_chunk in zip(left.split(CHUNK), grad_y.split(CHUNK), strict=True):
        grad_right = grad_right + left_chunk.t() @ grad_chunk
    return grad_y @ right.t(), grad_right


@gradients_of(lambda x: x.logsumexp(-1))
def LogSumExp(grad_y, x):
    """y = log Σ exp x over the last dimension."""
    return grad_y.unsqueeze(-1) * x.softmax(-1)


@wrong_forward(
    LogSumExp,
    "forward-wrong",
    "precision-loss",
    "forward-noisy",
    source="marin-community/marin#8217",
)
@at(normals((4, 6)))
def logsumexp_runs_forward_in_bfloat16(x):
    """Forward in bfloat16, backward in full precision: the gradient of another function."""
    return x.bfloat16().logsumexp(-1).to(x.dtype)


@wrong_backward(LogSumExp, "precision-loss", source="marin-community/marin#8217")
@at(normals((5, 6)))
def logsumexp_runs_backward_at_rounded_inputs(grad_y, x):
    """Forward in full precision, backward at x rounded to bfloat16."""
    return grad_y.unsqueeze(-1) * x.bfloat16().to(x.dtype).softmax(-1)


@wrong_backward(Sin, "precision-loss", source="inside the tolerance of torch.autograd.gradcheck")
@at(normals((5, 4)))
def sin_rounds_its_gradient_to_float32(grad_y, x):
    return Sin.gradients(grad_y, x).float().to(grad_y.dtype)


@wrong_backward(Sin, "precision-loss", source="inside the tolerance of torch.autograd.gradcheck")
@at(normals((3, 4)))
def sin_rounds_its_gradient_to_float16(grad_y, x):
    return Sin.gradients(grad_y, x).half().to(grad_y.dtype)


@gradients_of(lambda x: x.log1p())
def LogOnePlus(grad_y, x):
    """y = log(1 + x)."""
    return grad_y / (1 + x)


def small_entries(generator):
    return (leaf(normal(generator, 4, 3).abs() * 1e-12),)


def positive_entries(generator):
    return (leaf(normal(generator, 4, 3).abs()),)


@wrong_forward(
    LogOnePlus, "forward-wrong", "precision-loss", "forward-noisy", source="pytorch/pytorch#64163"
)
@at(positive_entries, tripping=small_entries)
def log1p_adds_its_one_first(x):
    """Adds the one before the logarithm: a tiny x is gone."""
    return (1 + x).log()


def half_tanh(x):
    """tanh(x/2), in a form that keeps its slope on both sides."""
    return torch.where(x > 0, 1 - 2 * torch.sigmoid(-x), 2 * torch.sigmoid(x) - 1)


@gradients_of(half_tanh)
def HalfTanh(grad_y, x):
    """y = tanh(x/2), with the slope 2 σ(x) σ(-x)."""
    return grad_y * 2 * torch.sigmoid(x) * torch.sigmoid(-x)


def saturated(generator):
    return (leaf(normal(generator, 4, 3) + 38),)


@wrong_backward(HalfTanh, "precision-loss", source="cancellation in 1 - y²")
@at(normals((4, 3)), tripping=saturated)
def saturated_tanh_cancels_its_slope(grad_y, x):
    """½ (1 - y²) cancels to zero where y rounds to one."""
    return grad_y * (1 - (x / 2).tanh() ** 2) / 2
