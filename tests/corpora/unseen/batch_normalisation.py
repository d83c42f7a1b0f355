"""Batch normalisation as a module, whose running statistics are buffers."""

from torch import nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from tests.random_inputs import normal, normals, seeded, uniform

from .by_hand import by_hand, wrong

EPS = 1e-5


def normalised(x, weight, bias, running_mean, running_var, training):
    mean, variance = running_mean, running_var
    if training:
        mean, variance = x.mean(0), x.var(0, unbiased=False)
    return (x - mean) / (variance + EPS).sqrt() * weight + bias


class BatchNorm(nn.Module):
    def __init__(self, normalise, training):
        super().__init__()
        generator = seeded(3)
        self.weight = nn.Parameter(normal(generator, 4))
        self.bias = nn.Parameter(normal(generator, 4))
        self.register_buffer("running_mean", normal(generator, 4).detach())
        self.register_buffer("running_var", uniform(generator, 0.5, 2.0, 4).detach())
        self.normalise = normalise
        self.train(training)

    def forward(self, x):
        statistics = self.running_mean, self.running_var
        return self.normalise(x, self.weight, self.bias, *statistics, self.training)


def normalisation(slip):
    class Normalisation(Function):
        @staticmethod
        def forward(ctx, x, weight, bias, running_mean, running_var, training):
            mean, variance = running_mean, running_var
            if training:
                mean, variance = x.mean(0), x.var(0, unbiased=False)
            reciprocal = (variance + EPS).rsqrt()
            x_hat = (x - mean) * reciprocal
            ctx.save_for_backward(x_hat, weight, reciprocal)
            ctx.training = training
            return x_hat * weight + bias

        @staticmethod
        @once_differentiable
        def backward(ctx, grad_y):
            x_hat, weight, reciprocal = ctx.saved_tensors
            n = len(grad_y)
            grad_weight, grad_bias = (grad_y * x_hat).sum(0), grad_y.sum(0)
            through_statistics = ctx.training or slip == "statistics of the batch"
            if slip == "constant statistics" or not through_statistics:
                grad_x = grad_y * weight * reciprocal
            else:
                degrees = n - 1 if slip == "unbiased" else n
                correction = grad_bias / n + x_hat * grad_weight / degrees
                grad_x = weight * reciprocal * (grad_y - correction)
            return grad_x, grad_weight, grad_bias, None, None, None

    return Normalisation.apply


@wrong(
    "constant statistics",
    ("missing-term",),
    "mean and variance of the batch count as constants",
    "mlpack/mlpack#1923",
)
@wrong(
    "unbiased",
    ("missing-term", "constant-factor"),
    "forward divides the variance by n, backward by n − 1",
    "paiml/aprender#2200",
)
@by_hand(BatchNorm(normalised, training=True), normals((6, 4)))
def batch_norm_in_training(slip):
    return BatchNorm(normalisation(slip), training=True)


@wrong(
    "statistics of the batch",
    ("missing-term",),
    "backward goes through batch statistics that forward did not use",
    "frozen batch norm in detectron2 and mmcv",
)
@by_hand(BatchNorm(normalised, training=False), normals((6, 4)))
def batch_norm_in_evaluation(slip):
    return BatchNorm(normalisation(slip), training=False)
