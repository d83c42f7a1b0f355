"""Norm layers: statistics held constant, weights that start at one, swapped and stray slots."""

import torch

from tests.random_inputs import normal, normals, positive

from .layouts import in_memory_order
from .planted import wrong_backward
from .rule import Rule

EPS = 1e-5


def rms_norm(x, weight):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPS) * weight


class RmsNorm(Rule):
    """y = x / rms(x) * weight."""

    forward = staticmethod(rms_norm)

    @staticmethod
    def gradients(grad_y, x, weight):
        reciprocal = torch.rsqrt(x.square().mean(-1, keepdim=True) + EPS)
        x_hat = x * reciprocal
        projection = (grad_y * weight * x_hat).mean(-1, keepdim=True)
        grad_x = reciprocal * (grad_y * weight - x_hat * projection)
        return grad_x, (grad_y * x_hat).sum_to_size(weight.shape)


def weight_of_ones(generator):
    return normal(generator, 4, 6), torch.ones(6, dtype=torch.float64, requires_grad=True)


@wrong_backward(
    RmsNorm,
    "missing-term",
    ordinary=weight_of_ones,
    tripping=normals((4, 6), (6,)),
    source="NVIDIA/Megatron-LM#6859",
)
def rms_norm_applies_its_weight_twice_in_the_correction(grad_y, x, weight):
    """The correction term carries the weight a second time; a weight of ones hides it."""
    reciprocal = torch.rsqrt(x.square().mean(-1, keepdim=True) + EPS)
    x_hat = x * reciprocal
    projection = (grad_y * weight * x_hat).mean(-1, keepdim=True)
    grad_x = reciprocal * (grad_y * weight - weight * x_hat * projection)
    return grad_x, (grad_y * x_hat).sum_to_size(weight.shape)


@wrong_backward(
    RmsNorm,
    "layout-dependent",
    inputs=normals((4, 6), (6,)),
    source="flagos-ai/FlagGems#1082",
    behavioural=True,
)
def rms_norm_ignores_the_strides_of_grad_output(grad_y, x, weight):
    """Takes the row stride of grad_output to be the row length."""
    return RmsNorm.gradients(in_memory_order(grad_y), x, weight)


def standardised(x, dim):
    centred = x - x.mean(dim, keepdim=True)
    reciprocal = torch.rsqrt(centred.square().mean(dim, keepdim=True) + EPS)
    return centred * reciprocal, reciprocal


def grad_standardised(grad_x_hat, x_hat, reciprocal, dim):
    mean = grad_x_hat.mean(dim, keepdim=True)
    projection = (grad_x_hat * x_hat).mean(dim, keepdim=True)
    return reciprocal * (grad_x_hat - mean - x_hat * projection)


class LayerNorm(Rule):
    """y = (x - mean) / std * weight + bias over the last dimension."""

    @staticmethod
    def forward(x, weight, bias):
        return standardised(x, -1)[0] * weight + bias

    @staticmethod
    def gradients(grad_y, x, weight, bias):
        x_hat, reciprocal = standardised(x, -1)
        grad_x = grad_standardised(grad_y * weight, x_hat, reciprocal, -1)
        grad_weight = (grad_y * x_hat).sum_to_size(weight.shape)
        return grad_x, grad_weight, grad_y.sum_to_size(bias.shape)


@wrong_backward(
    LayerNorm,
    "swapped-arguments",
    inputs=normals((5, 4), (4,), (4,)),
    source="Oneflow-Inc/oneflow#6149",
)
def layer_norm_swaps_the_gradients_of_weight_and_bias(grad_y, x, weight, bias):
    grad_x, grad_weight, grad_bias = LayerNorm.gradients(grad_y, x, weight, bias)
    return grad_x, grad_bias, grad_weight


class LayerNormWithoutBias(Rule):
    """Layer norm whose third argument is an unused scalar in the place of a bias."""

    @staticmethod
    def forward(x, weight, placeholder):
        return standardised(x, -1)[0] * weight

    @staticmethod
    def gradients(grad_y, x, weight, placeholder):
        x_hat, reciprocal = standardised(x, -1)
        grad_x = grad_standardised(grad_y * weight, x_hat, reciprocal, -1)
        grad_weight = (grad_y * x_hat).sum_to_size(weight.shape)
        return grad_x, grad_weight, torch.zeros_like(placeholder)


def scalar_placeholder(generator):
    placeholder = torch.zeros((), dtype=torch.float64, requires_grad=True)
    return normal(generator, 5, 4), normal(generator, 4), placeholder


@wrong_backward(
    LayerNormWithoutBias,
    "wrong-shape",
    "missing-reduction",
    inputs=scalar_placeholder,
    source="ml-explore/mlx#3220",
    reference=lambda x, weight, placeholder: (
        LayerNormWithoutBias.forward(x, weight, placeholder) + 0 * placeholder
    ),
    behavioural=True,
)
def layer_norm_gives_a_scalar_placeholder_the_weights_shape(grad_y, x, weight, placeholder):
    grad_x, grad_weight, _ = LayerNormWithoutBias.gradients(grad_y, x, weight, placeholder)
    return grad_x, grad_weight, torch.zeros_like(grad_weight)


class BatchNorm(Rule):
    """y = (x - mean) / std over the rows of the batch."""

    @staticmethod
    def forward(x):
        return standardised(x, 0)[0]

    @staticmethod
    def gradients(grad_y, x):
        x_hat, reciprocal = standardised(x, 0)
        return grad_standardised(grad_y, x_hat, reciprocal, 0)


@wrong_backward(
    BatchNorm, "missing-term", inputs=normals((6, 4)), source="facebookresearch/CrypTen#143"
)
def batch_norm_holds_mean_and_variance_constant(grad_y, x):
    return grad_y * standardised(x, 0)[1]


@wrong_backward(
    BatchNorm, "missing-term", inputs=normals((7, 3)), source="facebookresearch/CrypTen#143"
)
def batch_norm_holds_the_variance_constant(grad_y, x):
    """The mean's part is there, the variance's part is not."""
    return (grad_y - grad_y.mean(0)) * standardised(x, 0)[1]


class BatchNormInEvaluation(Rule):
    """y = (x - running_mean) / sqrt(running_var + eps)."""

    @staticmethod
    def forward(x, running_mean, running_var):
        return (x - running_mean) * torch.rsqrt(running_var + EPS)

    @staticmethod
    def gradients(grad_y, x, running_mean, running_var):
        return grad_y * torch.rsqrt(running_var + EPS), None, None


def running_statistics(generator):
    return normal(generator, 6, 4), normal(generator, 4).detach(), positive(generator, 4).detach()


@wrong_backward(
    BatchNormInEvaluation, "missing-term", inputs=running_statistics, source="pytorch/xla#913"
)
def batch_norm_in_evaluation_differentiates_batch_statistics(grad_y, x, running_mean, running_var):
    """Backward differentiates batch statistics that forward never used."""
    reciprocal = torch.rsqrt(running_var + EPS)
    x_hat = (x - running_mean) * reciprocal
    return grad_standardised(grad_y, x_hat, reciprocal, 0), None, None


class Softmax(Rule):
    """y = softmax of x over the last dimension."""

    @staticmethod
    def forward(x):
        return x.softmax(-1)

    @staticmethod
    def gradients(grad_y, x):
        y = x.softmax(-1)
        return y * (grad_y - (grad_y * y).sum(-1, keepdim=True))


@wrong_backward(
    Softmax,
    "missing-term",
    inputs=normals((5, 4)),
    source="the diagonal of the softmax Jacobian alone",
)
def softmax_holds_its_normaliser_constant(grad_y, x):
    """The sum in the denominator is taken to be a constant."""
    return x.softmax(-1) * grad_y
