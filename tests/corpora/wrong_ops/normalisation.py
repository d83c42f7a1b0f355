"""Norm layers: statistics held constant, weights that start at one, swapped and stray slots."""

import torch

from tests.random_inputs import normal, normals, positive

from .layouts import in_memory_order
from .planted import at, wrong_backward
from .rule import gradients_of

EPS = 1e-5


@gradients_of(lambda x, weight: x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPS) * weight)
def RmsNorm(grad_y, x, weight):
    """y = x / rms(x) * weight."""
    reciprocal = torch.rsqrt(x.square().mean(-1, keepdim=True) + EPS)
    x_hat = x * reciprocal
    projection = (grad_y * weight * x_hat).mean(-1, keepdim=True)
    grad_x = reciprocal * (grad_y * weight - x_hat * projection)
    return grad_x, (grad_y * x_hat).sum_to_size(weight.shape)


def weight_of_ones(generator):
    return normal(generator, 4, 6), torch.ones(6, dtype=torch.float64, requires_grad=True)


@wrong_backward(RmsNorm, "missing-term", source="NVIDIA/Megatron-LM#6859")
@at(weight_of_ones, tripping=normals((4, 6), (6,)))
def rms_norm_applies_its_weight_twice_in_the_correction(grad_y, x, weight):
    """The correction term carries the weight a second time; a weight of ones hides it."""
    reciprocal = torch.rsqrt(x.square().mean(-1, keepdim=True) + EPS)
    x_hat = x * reciprocal
    projection = (grad_y * weight * x_hat).mean(-1, keepdim=True)
    grad_x = reciprocal * (grad_y * weight - weight * x_hat * projection)
    return grad_x, (grad_y * x_hat).sum_to_size(weight.shape)


@wrong_backward(RmsNorm, "layout-dependent", source="flagos-ai/FlagGems#1082", behavioural=True)
@at(normals((4, 6), (6,)))
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


@gradients_of(lambda x, weight, bias: standardised(x, -1)[0] * weight + bias)
def LayerNorm(grad_y, x, weight, bias):
    """y = (x - mean) / std * weight + bias over the last dimension."""
    x_hat, reciprocal = standardised(x, -1)
    grad_x = grad_standardised(grad_y * weight, x_hat, reciprocal, -1)
    grad_weight = (grad_y * x_hat).sum_to_size(weight.shape)
    return grad_x, grad_weight, grad_y.sum_to_size(bias.shape)


@wrong_backward(LayerNorm, "swapped-arguments", source="Oneflow-Inc/oneflow#6149")
@at(normals((5, 4), (4,), (4,)))
def layer_norm_swaps_the_gradients_of_weight_and_bias(grad_y, x, weight, bias):
    grad_x, grad_weight, grad_bias = LayerNorm.gradients(grad_y, x, weight, bias)
    return grad_x, grad_bias, grad_weight


@gradients_of(lambda x, weight, placeholder: standardised(x, -1)[0] * weight)
def LayerNormWithoutBias(grad_y, x, weight, placeholder):
    """Layer norm whose third argument is an unused scalar in the place of a bias."""
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
    source="ml-explore/mlx#3220",
    reference=lambda x, weight, placeholder: (
        LayerNormWithoutBias.forward(x, weight, placeholder) + 0 * placeholder
    ),
    behavioural=True,
)
@at(scalar_placeholder)
def layer_norm_gives_a_scalar_placeholder_the_weights_shape(grad_y, x, weight, placeholder):
    grad_x, grad_weight, _ = LayerNormWithoutBias.gradients(grad_y, x, weight, placeholder)
    return grad_x, grad_weight, torch.zeros_like(grad_weight)


@gradients_of(lambda x: standardised(x, 0)[0])
def BatchNorm(grad_y, x):
    """y = (x - mean) / std over the rows of the batch."""
    x_hat, reciprocal = standardised(x, 0)
    return grad_standardised(grad_y, x_hat, reciprocal, 0)


@wrong_backward(BatchNorm, "missing-term", source="facebookresearch/CrypTen#143")
@at(normals((6, 4)))
def batch_norm_holds_mean_and_variance_constant(grad_y, x):
    return grad_y * standardised(x, 0)[1]


@wrong_backward(BatchNorm, "missing-term", source="facebookresearch/CrypTen#143")
@at(normals((7, 3)))
def batch_norm_holds_the_variance_constant(grad_y, x):
    """The mean's part is there, the variance's part is not."""
    return (grad_y - grad_y.mean(0)) * standardised(x, 0)[1]


@gradients_of(
    lambda x, running_mean, running_var: (x - running_mean) * torch.rsqrt(running_var + EPS)
)
def BatchNormInEvaluation(grad_y, x, running_mean, running_var):
    """y = (x - running_mean) / sqrt(running_var + eps)."""
    return grad_y * torch.rsqrt(running_var + EPS), None, None


def running_statistics(generator):
    return normal(generator, 6, 4), normal(generator, 4).detach(), positive(generator, 4).detach()


@wrong_backward(BatchNormInEvaluation, "missing-term", source="pytorch/xla#913")
@at(running_statistics)
def batch_norm_in_evaluation_differentiates_batch_statistics(grad_y, x, running_mean, running_var):
    """Backward differentiates batch statistics that forward never used."""
    reciprocal = torch.rsqrt(running_var + EPS)
    x_hat = (x - running_mean) * reciprocal
    return grad_standardised(grad_y, x_hat, reciprocal, 0), None, None


@gradients_of(lambda x: x.softmax(-1))
def Softmax(grad_y, x):
    """y = softmax of x over the last dimension."""
    y = x.softmax(-1)
    return y * (grad_y - (grad_y * y).sum(-1, keepdim=True))


@wrong_backward(Softmax, "missing-term", source="the diagonal of the softmax Jacobian alone")
@at(normals((5, 4)))
def softmax_holds_its_normaliser_constant(grad_y, x):
    """The sum in the denominator is taken to be a constant."""
    return x.softmax(-1) * grad_y
