"""Losses as learners write them: a slope too many, a log of zero, a broadcast target."""

import torch
from torch.nn import functional as F

from tests.random_inputs import leaf, normal, normals, positive

from .planted import wrong_backward, wrong_forward, wrong_function
from .right_rules import Power
from .rule import Rule


def binary_loss(z, target):
    return F.binary_cross_entropy_with_logits(z, target)


class BinaryLoss(Rule):
    """Mean binary cross entropy of a = σ(z)."""

    forward = staticmethod(binary_loss)

    @staticmethod
    def gradients(grad_loss, z, target):
        return grad_loss * (z.sigmoid() - target) / z.numel(), None


def binary_rows(generator):
    return normal(generator, 5, 3), torch.bernoulli(positive(generator, 5, 3).detach() - 0.5)


@wrong_backward(
    BinaryLoss,
    "missing-local-derivative",
    "missing-term",
    inputs=binary_rows,
    source="datascience.stackexchange 20139",
)
def binary_loss_multiplies_by_the_slope_again(grad_loss, z, target):
    """a - target already holds σ'; it is multiplied in once more."""
    a = z.sigmoid()
    return BinaryLoss.gradients(grad_loss, z, target)[0] * a * (1 - a), None


def saturated_rows(generator):
    z, target = binary_rows(generator)
    z = z.detach()
    z[1, 2], target[1, 2] = 40.0, 0.0
    return leaf(z), target


@wrong_forward(
    BinaryLoss,
    "forward-wrong",
    "not-finite",
    ordinary=binary_rows,
    tripping=saturated_rows,
    source="ai.stackexchange 6622",
)
def binary_loss_takes_the_log_of_zero(z, target):
    """log(1 - a) of an a that has rounded to one."""
    a = z.sigmoid()
    return -(target * a.log() + (1 - target) * (1 - a).log()).mean()


@wrong_backward(
    BinaryLoss,
    "not-finite",
    ordinary=binary_rows,
    tripping=saturated_rows,
    source="ai.stackexchange 6622",
)
def binary_loss_divides_zero_by_zero(grad_loss, z, target):
    """(a - target) / (a (1 - a)) times a (1 - a): zero by zero where a has rounded to one."""
    a = z.sigmoid()
    quotient = (a - target) / (a * (1 - a))
    return grad_loss * quotient * (a * (1 - a)) / z.numel(), None


def column_loss(prediction, target):
    """Mean squared error of predictions (N, 1) against targets (N,)."""
    return (prediction.squeeze(-1) - target).square().mean()


class ColumnLoss(Rule):
    """Squeezes the predictions before it subtracts."""

    forward = staticmethod(column_loss)

    @staticmethod
    def gradients(grad_loss, prediction, target):
        error = prediction.squeeze(-1) - target
        return (grad_loss * 2 * error / error.numel()).unsqueeze(-1), None


def column_and_target(generator):
    return normal(generator, 6, 1), normal(generator, 6).detach()


@wrong_function(
    ColumnLoss,
    "forward-wrong",
    inputs=column_and_target,
    source="torch.nn.functional.mse_loss warns of it",
)
class ColumnLossBroadcastsItsTarget(ColumnLoss):
    """(N, 1) - (N,) is a square of N × N differences, in forward and backward alike."""

    @staticmethod
    def forward(prediction, target):
        return (prediction - target).square().mean()

    @staticmethod
    def gradients(grad_loss, prediction, target):
        error = prediction - target
        return (grad_loss * 2 * error / error.numel()).sum(-1, keepdim=True), None


def cubed(generator):
    return *normals((4, 3))(generator), 3


@wrong_backward(Power, "raises", inputs=cubed, source="pytorch-image-comp-rnn#4")
def power_returns_one_gradient_for_two_arguments(grad_y, x, exponent):
    """One gradient for two arguments: the None for the exponent is missing."""
    return Power.gradients(grad_y, x, exponent)[0]
