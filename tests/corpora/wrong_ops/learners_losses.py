"""Losses as learners write them: a slope too many, a log of zero, a broadcast target."""

import torch
from torch.nn import functional as F

from tests.random_inputs import followed_by, leaf, normal, normals, positive

from .planted import at, wrong_backward, wrong_forward, wrong_function
from .right_rules import Power
from .rule import gradients_of


@gradients_of(lambda z, target: F.binary_cross_entropy_with_logits(z, target))
def BinaryLoss(grad_loss, z, target):
    """Mean binary cross entropy of a = σ(z)."""
    return grad_loss * (z.sigmoid() - target) / z.numel(), None


def binary_rows(generator):
    return normal(generator, 5, 3), torch.bernoulli(positive(generator, 5, 3).detach() - 0.5)


@wrong_backward(
    BinaryLoss, "missing-local-derivative", "missing-term", source="datascience.stackexchange 20139"
)
@at(binary_rows)
def binary_loss_multiplies_by_the_slope_again(grad_loss, z, target):
    """a - target already holds σ'; it is multiplied in once more."""
    a = z.sigmoid()
    return BinaryLoss.gradients(grad_loss, z, target)[0] * a * (1 - a), None


def saturated_rows(generator):
    z, target = binary_rows(generator)
    z = z.detach()
    z[1, 2], target[1, 2] = 40.0, 0.0
    return leaf(z), target


@wrong_forward(BinaryLoss, "forward-wrong", "not-finite", source="ai.stackexchange 6622")
@at(binary_rows, tripping=saturated_rows)
def binary_loss_takes_the_log_of_zero(z, target):
    """log(1 - a) of an a that has rounded to one."""
    a = z.sigmoid()
    return -(target * a.log() + (1 - target) * (1 - a).log()).mean()


@wrong_backward(BinaryLoss, "not-finite", source="ai.stackexchange 6622")
@at(binary_rows, tripping=saturated_rows)
def binary_loss_divides_zero_by_zero(grad_loss, z, target):
    """(a - target) / (a (1 - a)) times a (1 - a): zero by zero where a has rounded to one."""
    a = z.sigmoid()
    quotient = (a - target) / (a * (1 - a))
    return grad_loss * quotient * (a * (1 - a)) / z.numel(), None


@gradients_of(lambda prediction, target: (prediction.squeeze(-1) - target).square().mean())
def ColumnLoss(grad_loss, prediction, target):
    """Mean squared error of predictions (N, 1), squeezed first, against targets (N,)."""
    error = prediction.squeeze(-1) - target
    return (grad_loss * 2 * error / error.numel()).unsqueeze(-1), None


def column_and_target(generator):
    return normal(generator, 6, 1), normal(generator, 6).detach()


@wrong_function(ColumnLoss, "forward-wrong", source="torch.nn.functional.mse_loss warns of it")
@at(column_and_target)
@gradients_of(lambda prediction, target: (prediction - target).square().mean())
def ColumnLossBroadcastsItsTarget(grad_loss, prediction, target):
    """(N, 1) - (N,) is a square of N × N differences, in forward and backward alike."""
    error = prediction - target
    return (grad_loss * 2 * error / error.numel()).sum(-1, keepdim=True), None


@wrong_backward(Power, "raises", source="pytorch-image-comp-rnn#4")
@at(followed_by(normals((4, 3)), 3))
def power_returns_one_gradient_for_two_arguments(grad_y, x, exponent):
    """One gradient for two arguments: the None for the exponent is missing."""
    return Power.gradients(grad_y, x, exponent)[0]
