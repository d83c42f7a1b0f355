"""The incoming gradient is dropped, read at one element only, or bent out of proportion."""

import torch
from torch.nn import functional as F

from tests.corpora.rows import rows_with_target
from tests.random_inputs import followed_by, normals

from .planted import at, wrong_backward
from .right_rules import Square
from .rule import gradients_of


@gradients_of(lambda x: x * torch.rsqrt(1 + x * x))
def Isrlu(grad_y, x):
    """y = x / sqrt(1 + x²)."""
    return grad_y * torch.rsqrt(1 + x * x) ** 3


@wrong_backward(Isrlu, "ignores-grad-output", source="pytorch/pytorch#4355")
@at(normals((5, 4)))
def isrlu_ignores_grad_output(grad_y, x):
    """Returns the local derivative without the incoming gradient."""
    return torch.rsqrt(1 + x * x) ** 3


@wrong_backward(
    Square, "ignores-grad-output", source="a learner's mistake: passes out.sum().backward()"
)
@at(normals((3, 7)))
def square_ignores_grad_output(grad_y, x):
    """Right for out.sum().backward() and for nothing else."""
    return 2 * x


@wrong_backward(
    Square, "not-linear-in-grad-output", source="gradient clipping written into a backward"
)
@at(normals((6, 5)))
def square_clips_grad_output(grad_y, x):
    """Clips the incoming gradient to [-1, 1] before it is used."""
    return Square.gradients(grad_y.clamp(-1, 1), x)


@wrong_backward(
    Square, "not-linear-in-grad-output", source="gradient normalisation written into a backward"
)
@at(normals((4, 5)))
def square_normalises_grad_output(grad_y, x):
    """Divides the incoming gradient by its own norm."""
    return Square.gradients(grad_y / grad_y.norm(), x)


def token_losses(logits, target):
    return -logits.log_softmax(-1).gather(-1, target.unsqueeze(-1)).squeeze(-1)


def softmax_minus_one_hot(logits, target):
    return logits.softmax(-1) - F.one_hot(target, logits.shape[-1]).to(logits.dtype)


@at(rows_with_target)
@gradients_of(token_losses)
def TokenLosses(grad_y, logits, target):
    """Cross entropy of every row, without reduction."""
    return grad_y.unsqueeze(-1) * softmax_minus_one_hot(logits, target), None


@wrong_backward(TokenLosses, "ignores-grad-output", source="linkedin/Liger-Kernel#1298")
def token_losses_read_the_first_grad_output_for_every_row(grad_y, logits, target):
    """The incoming gradient of row 0 is applied to every row."""
    return grad_y.reshape(-1)[0] * softmax_minus_one_hot(logits, target), None


@wrong_backward(
    TokenLosses, "ignores-grad-output", "constant-factor", source="ROCm/TransformerEngine#336"
)
def token_losses_read_one_grad_output_and_divide_by_the_rows(grad_y, logits, target):
    """One scalar of the incoming gradient for all rows, and a 1/N that belongs to the mean."""
    grad_logits = softmax_minus_one_hot(logits, target) / grad_y.numel()
    return grad_y.reshape(-1)[0] * grad_logits, None


@gradients_of(lambda x, before, after: F.pad(x, (before, after)))
def PadLast(grad_y, x, before, after):
    """Zeros before and after the last dimension."""
    return grad_y[..., before : before + x.shape[-1]], None, None


@wrong_backward(PadLast, "ignores-grad-output", source="apache/mxnet#19043")
@at(followed_by(normals((5, 4)), 2, 3))
def pad_returns_ones(grad_y, x, before, after):
    """The gradient is a block of ones: slicing lost the incoming gradient."""
    return torch.ones_like(x), None, None
