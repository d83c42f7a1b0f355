"""Losses as learners write them: a slope too many, a log of zero, a broadcast target."""

import torch
from torch.nn import functional as F

from .planted import PlantedBug, SavesInputs, leaf, normal, normals, positive


def binary_loss(z, target):
    return F.binary_cross_entropy_with_logits(z, target)


class BinaryLoss(SavesInputs):
    """Mean binary cross entropy of a = σ(z)."""

    @staticmethod
    def forward(z, target):
        return binary_loss(z, target)

    @staticmethod
    def backward(ctx, grad_loss):
        z, target = ctx.saved_tensors
        return grad_loss * (z.sigmoid() - target) / z.numel(), None


class BinaryLossWithSlopeTwice(BinaryLoss):
    """a - target already holds σ'; it is multiplied in once more."""

    @staticmethod
    def backward(ctx, grad_loss):
        z, _ = ctx.saved_tensors
        a = z.sigmoid()
        return BinaryLoss.backward(ctx, grad_loss)[0] * a * (1 - a), None


class BinaryLossOfNaiveLogarithm(BinaryLoss):
    """log(1 - a) of an a that has rounded to one."""

    @staticmethod
    def forward(z, target):
        a = z.sigmoid()
        return -(target * a.log() + (1 - target) * (1 - a).log()).mean()


class BinaryLossOfNaiveQuotient(BinaryLoss):
    """(a - target) / (a (1 - a)) times a (1 - a): zero by zero where a has rounded to one."""

    @staticmethod
    def backward(ctx, grad_loss):
        z, target = ctx.saved_tensors
        a = z.sigmoid()
        quotient = (a - target) / (a * (1 - a))
        return grad_loss * quotient * (a * (1 - a)) / z.numel(), None


def column_loss(prediction, target):
    """Mean squared error of predictions (N, 1) against targets (N,)."""
    return (prediction.squeeze(-1) - target).square().mean()


class ColumnLoss(SavesInputs):
    """Squeezes the predictions before it subtracts."""

    @staticmethod
    def forward(prediction, target):
        return column_loss(prediction, target)

    @staticmethod
    def backward(ctx, grad_loss):
        prediction, target = ctx.saved_tensors
        error = prediction.squeeze(-1) - target
        return (grad_loss * 2 * error / error.numel()).unsqueeze(-1), None


class ColumnLossOfBroadcastTarget(ColumnLoss):
    """(N, 1) - (N,) is a square of N × N differences, in forward and backward alike."""

    @staticmethod
    def forward(prediction, target):
        return (prediction - target).square().mean()

    @staticmethod
    def backward(ctx, grad_loss):
        prediction, target = ctx.saved_tensors
        error = prediction - target
        return (grad_loss * 2 * error / error.numel()).sum(-1, keepdim=True), None


class Power(SavesInputs):
    """y = x to a fixed exponent."""

    @staticmethod
    def forward(x, exponent):
        return x**exponent

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        (exponent,) = ctx.options
        return grad_y * exponent * x ** (exponent - 1), None


class PowerReturningOneGradient(Power):
    """One gradient for two arguments: the None for the exponent is missing."""

    @staticmethod
    def backward(ctx, grad_y):
        return Power.backward(ctx, grad_y)[0]


def binary_rows(generator):
    return normal(generator, 5, 3), torch.bernoulli(positive(generator, 5, 3).detach() - 0.5)


def saturated_rows(generator):
    z, target = binary_rows(generator)
    z = z.detach()
    z[1, 2], target[1, 2] = 40.0, 0.0
    return leaf(z), target


def column_and_target(generator):
    return normal(generator, 6, 1), normal(generator, 6).detach()


def cubed(generator):
    return *normals((4, 3))(generator), 3


BUGS = (
    PlantedBug(
        name="binary loss multiplies by the slope again",
        wrong=BinaryLossWithSlopeTwice,
        right=BinaryLoss,
        reference=binary_loss,
        ordinary=binary_rows,
        tripping=binary_rows,
        causes=("missing-local-derivative", "missing-term"),
        source="datascience.stackexchange 20139",
    ),
    PlantedBug(
        name="binary loss takes the log of zero",
        wrong=BinaryLossOfNaiveLogarithm,
        right=BinaryLoss,
        reference=binary_loss,
        ordinary=binary_rows,
        tripping=saturated_rows,
        causes=("forward-wrong", "not-finite"),
        source="ai.stackexchange 6622",
    ),
    PlantedBug(
        name="binary loss divides zero by zero",
        wrong=BinaryLossOfNaiveQuotient,
        right=BinaryLoss,
        reference=binary_loss,
        ordinary=binary_rows,
        tripping=saturated_rows,
        causes=("not-finite",),
        source="ai.stackexchange 6622",
    ),
    PlantedBug(
        name="column loss broadcasts its target",
        wrong=ColumnLossOfBroadcastTarget,
        right=ColumnLoss,
        reference=column_loss,
        ordinary=column_and_target,
        tripping=column_and_target,
        causes=("forward-wrong",),
        source="torch.nn.functional.mse_loss warns of it",
    ),
    PlantedBug(
        name="power returns one gradient for two arguments",
        wrong=PowerReturningOneGradient,
        right=Power,
        reference=torch.pow,
        ordinary=cubed,
        tripping=cubed,
        causes=("raises",),
        source="pytorch-image-comp-rnn#4",
    ),
)
