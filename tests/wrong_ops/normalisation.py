"""Norm layers: statistics held constant, weights that start at one, swapped and stray slots."""

import torch
from torch.nn import functional as F

from .layouts import in_memory_order
from .planted import PlantedBug, SavesInputs, normal, normals, positive

EPS = 1e-5


def rms_norm(x, weight):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPS) * weight


class RmsNorm(SavesInputs):
    """y = x / rms(x) * weight."""

    @staticmethod
    def forward(x, weight):
        return rms_norm(x, weight)

    @staticmethod
    def backward(ctx, grad_y):
        x, weight = ctx.saved_tensors
        reciprocal = torch.rsqrt(x.square().mean(-1, keepdim=True) + EPS)
        x_hat = x * reciprocal
        projection = (grad_y * weight * x_hat).mean(-1, keepdim=True)
        grad_x = reciprocal * (grad_y * weight - x_hat * projection)
        return grad_x, (grad_y * x_hat).sum_to_size(weight.shape)


class RmsNormWithWeightTwice(RmsNorm):
    """The correction term carries the weight a second time; a weight of ones hides it."""

    @staticmethod
    def backward(ctx, grad_y):
        x, weight = ctx.saved_tensors
        reciprocal = torch.rsqrt(x.square().mean(-1, keepdim=True) + EPS)
        x_hat = x * reciprocal
        projection = (grad_y * weight * x_hat).mean(-1, keepdim=True)
        grad_x = reciprocal * (grad_y * weight - weight * x_hat * projection)
        return grad_x, (grad_y * x_hat).sum_to_size(weight.shape)


class RmsNormIgnoringStrides(RmsNorm):
    """Takes the row stride of grad_output to be the row length."""

    @staticmethod
    def backward(ctx, grad_y):
        return RmsNorm.backward(ctx, in_memory_order(grad_y))


def standardised(x, dim):
    centred = x - x.mean(dim, keepdim=True)
    reciprocal = torch.rsqrt(centred.square().mean(dim, keepdim=True) + EPS)
    return centred * reciprocal, reciprocal


def grad_standardised(grad_x_hat, x_hat, reciprocal, dim):
    mean = grad_x_hat.mean(dim, keepdim=True)
    projection = (grad_x_hat * x_hat).mean(dim, keepdim=True)
    return reciprocal * (grad_x_hat - mean - x_hat * projection)


class LayerNorm(SavesInputs):
    """y = (x - mean) / std * weight + bias over the last dimension."""

    @staticmethod
    def forward(x, weight, bias):
        return standardised(x, -1)[0] * weight + bias

    @staticmethod
    def backward(ctx, grad_y):
        x, weight, bias = ctx.saved_tensors
        x_hat, reciprocal = standardised(x, -1)
        grad_x = grad_standardised(grad_y * weight, x_hat, reciprocal, -1)
        grad_weight = (grad_y * x_hat).sum_to_size(weight.shape)
        return grad_x, grad_weight, grad_y.sum_to_size(bias.shape)


class LayerNormWithSwappedSlots(LayerNorm):
    """The gradients of weight and bias are returned in each other's place."""

    @staticmethod
    def backward(ctx, grad_y):
        grad_x, grad_weight, grad_bias = LayerNorm.backward(ctx, grad_y)
        return grad_x, grad_bias, grad_weight


class LayerNormWithoutBias(SavesInputs):
    """Layer norm whose third argument is an unused scalar in the place of a bias."""

    @staticmethod
    def forward(x, weight, placeholder):
        return standardised(x, -1)[0] * weight

    @staticmethod
    def backward(ctx, grad_y):
        x, weight, placeholder = ctx.saved_tensors
        x_hat, reciprocal = standardised(x, -1)
        grad_x = grad_standardised(grad_y * weight, x_hat, reciprocal, -1)
        grad_weight = (grad_y * x_hat).sum_to_size(weight.shape)
        return grad_x, grad_weight, torch.zeros_like(placeholder)


class LayerNormWithPlaceholderOfWeightShape(LayerNormWithoutBias):
    """The placeholder's gradient has the weight's shape."""

    @staticmethod
    def backward(ctx, grad_y):
        grad_x, grad_weight, _ = LayerNormWithoutBias.backward(ctx, grad_y)
        return grad_x, grad_weight, torch.zeros_like(grad_weight)


class BatchNorm(SavesInputs):
    """y = (x - mean) / std over the rows of the batch."""

    @staticmethod
    def forward(x):
        return standardised(x, 0)[0]

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        x_hat, reciprocal = standardised(x, 0)
        return grad_standardised(grad_y, x_hat, reciprocal, 0)


class BatchNormOfConstantStatistics(BatchNorm):
    """Mean and variance are taken to be constants."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * standardised(x, 0)[1]


class BatchNormOfConstantVariance(BatchNorm):
    """The mean's part is there, the variance's part is not."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return (grad_y - grad_y.mean(0)) * standardised(x, 0)[1]


class BatchNormInEvaluation(SavesInputs):
    """y = (x - running_mean) / sqrt(running_var + eps)."""

    @staticmethod
    def forward(x, running_mean, running_var):
        return (x - running_mean) * torch.rsqrt(running_var + EPS)

    @staticmethod
    def backward(ctx, grad_y):
        _, _, running_var = ctx.saved_tensors
        return grad_y * torch.rsqrt(running_var + EPS), None, None


class BatchNormInEvaluationAsInTraining(BatchNormInEvaluation):
    """Backward differentiates batch statistics that forward never used."""

    @staticmethod
    def backward(ctx, grad_y):
        x, running_mean, running_var = ctx.saved_tensors
        reciprocal = torch.rsqrt(running_var + EPS)
        x_hat = (x - running_mean) * reciprocal
        return grad_standardised(grad_y, x_hat, reciprocal, 0), None, None


class Softmax(SavesInputs):
    """y = softmax of x over the last dimension."""

    @staticmethod
    def forward(x):
        return x.softmax(-1)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        y = x.softmax(-1)
        return y * (grad_y - (grad_y * y).sum(-1, keepdim=True))


class SoftmaxOfConstantNormaliser(Softmax):
    """The sum in the denominator is taken to be a constant."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return x.softmax(-1) * grad_y


def weight_of_ones(generator):
    return normal(generator, 4, 6), torch.ones(6, dtype=torch.float64, requires_grad=True)


def scalar_placeholder(generator):
    placeholder = torch.zeros((), dtype=torch.float64, requires_grad=True)
    return normal(generator, 5, 4), normal(generator, 4), placeholder


def running_statistics(generator):
    return normal(generator, 6, 4), normal(generator, 4).detach(), positive(generator, 4).detach()


def layer_norm(x, weight, bias):
    return F.layer_norm(x, weight.shape, weight, bias, EPS)


BUGS = (
    PlantedBug(
        name="rms norm applies its weight twice in the correction",
        wrong=RmsNormWithWeightTwice,
        right=RmsNorm,
        reference=rms_norm,
        ordinary=weight_of_ones,
        tripping=normals((4, 6), (6,)),
        causes=("missing-term",),
        source="NVIDIA/Megatron-LM#6859",
    ),
    PlantedBug(
        name="rms norm ignores the strides of grad_output",
        wrong=RmsNormIgnoringStrides,
        right=RmsNorm,
        reference=rms_norm,
        ordinary=normals((4, 6), (6,)),
        tripping=normals((4, 6), (6,)),
        causes=("layout-dependent",),
        source="flagos-ai/FlagGems#1082",
        behavioural=True,
    ),
    PlantedBug(
        name="layer norm swaps the gradients of weight and bias",
        wrong=LayerNormWithSwappedSlots,
        right=LayerNorm,
        reference=layer_norm,
        ordinary=normals((5, 4), (4,), (4,)),
        tripping=normals((5, 4), (4,), (4,)),
        causes=("swapped-arguments",),
        source="Oneflow-Inc/oneflow#6149",
    ),
    PlantedBug(
        name="layer norm gives a scalar placeholder the weight's shape",
        wrong=LayerNormWithPlaceholderOfWeightShape,
        right=LayerNormWithoutBias,
        reference=lambda x, weight, placeholder: standardised(x, -1)[0] * weight + 0 * placeholder,
        ordinary=scalar_placeholder,
        tripping=scalar_placeholder,
        causes=("wrong-shape", "missing-reduction"),
        source="ml-explore/mlx#3220",
        behavioural=True,
    ),
    PlantedBug(
        name="batch norm holds mean and variance constant",
        wrong=BatchNormOfConstantStatistics,
        right=BatchNorm,
        reference=lambda x: standardised(x, 0)[0],
        ordinary=normals((6, 4)),
        tripping=normals((6, 4)),
        causes=("missing-term",),
        source="facebookresearch/CrypTen#143",
    ),
    PlantedBug(
        name="batch norm holds the variance constant",
        wrong=BatchNormOfConstantVariance,
        right=BatchNorm,
        reference=lambda x: standardised(x, 0)[0],
        ordinary=normals((7, 3)),
        tripping=normals((7, 3)),
        causes=("missing-term",),
        source="facebookresearch/CrypTen#143",
    ),
    PlantedBug(
        name="batch norm in evaluation differentiates batch statistics",
        wrong=BatchNormInEvaluationAsInTraining,
        right=BatchNormInEvaluation,
        reference=lambda x, mean, var: (x - mean) * torch.rsqrt(var + EPS),
        ordinary=running_statistics,
        tripping=running_statistics,
        causes=("missing-term",),
        source="pytorch/xla#913",
    ),
    PlantedBug(
        name="softmax holds its normaliser constant",
        wrong=SoftmaxOfConstantNormaliser,
        right=Softmax,
        reference=lambda x: x.softmax(-1),
        ordinary=normals((5, 4)),
        tripping=normals((5, 4)),
        causes=("missing-term",),
        source="the diagonal of the softmax Jacobian alone",
    ),
)
