"""Layer, group and root-mean-square normalisation."""

import torch
from torch.nn import functional as F

from tests.corpora.wrong_ops.layouts import in_memory_order
from tests.random_inputs import leaf, normal, normals

from .by_hand import backward_of, wrong

EPS = 1e-5


def leading(x):
    return tuple(range(x.dim() - 1))


def small_variance(generator):
    return leaf(normal(generator, 3, 4, 5) * 1e-2), normal(generator, 5), normal(generator, 5)


def layer_norm_forward(x, weight, bias):
    mean = x.mean(-1, keepdim=True)
    reciprocal = torch.rsqrt(x.var(-1, unbiased=False, keepdim=True) + EPS)
    return (x - mean) * reciprocal * weight + bias, {"mean": mean, "reciprocal": reciprocal}


@wrong(
    "no mean",
    ("missing-term",),
    "the term through the mean is absent from grad_x",
    "mlpack/mlpack#1327",
)
@wrong(
    "place of epsilon",
    ("missing-local-derivative", "constant-factor"),
    "backward takes 1/(std + ε), forward 1/√(var + ε): a small variance shows it",
    "HomericIntelligence/Odyssey#2724",
    tripping=small_variance,
    ordinary=normals((3, 4, 5), (5,), (5,)),
)
@backward_of(
    lambda x, weight, bias: F.layer_norm(x, x.shape[-1:], weight, bias, EPS),
    normals((3, 4, 5), (5,), (5,)),
    forward=layer_norm_forward,
    once=True,
)
def layer_norm(slip, grad_y, x, weight, mean, reciprocal):
    if slip == "place of epsilon":
        reciprocal = 1 / (x.std(-1, unbiased=False, keepdim=True) + EPS)
    x_hat = (x - mean) * reciprocal
    grad_x_hat = grad_y * weight
    through_variance = x_hat * (grad_x_hat * x_hat).mean(-1, keepdim=True)
    through_mean = 0 if slip == "no mean" else grad_x_hat.mean(-1, keepdim=True)
    grad_x = reciprocal * (grad_x_hat - through_mean - through_variance)
    return grad_x, (grad_y * x_hat).sum(leading(x)), grad_y.sum(leading(x))


def rms_norm_forward(x, weight):
    reciprocal = torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)
    return x * reciprocal * weight, {"reciprocal": reciprocal}


@wrong(
    "no weight",
    ("missing-local-derivative",),
    "grad_x is not multiplied by the weight",
    "karpathy/llm.c#763",
)
@wrong(
    "None for the weight",
    ("missing-gradient",),
    "None stands in the weight's place",
    "unslothai/unsloth#4533",
)
@wrong(
    "grad_y reused",
    ("mutates-grad-output",),
    "grad_x is written into grad_y's memory, then grad_weight is computed from it",
    "unslothai/unsloth#4550",
)
@backward_of(
    lambda x, weight: x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-6) * weight,
    normals((2, 3, 4), (4,)),
    forward=rms_norm_forward,
    once=True,
)
def rms_norm(slip, grad_y, x, weight, reciprocal):
    x_hat = x * reciprocal
    grad_x_hat = grad_y if slip == "no weight" else grad_y * weight
    projection = x_hat * (grad_x_hat * x_hat).mean(-1, keepdim=True)
    grad_x = reciprocal * (grad_x_hat - projection)
    if slip == "grad_y reused":
        grad_x = grad_y.copy_(grad_x)
    if slip == "None for the weight":
        return grad_x, None
    return grad_x, (grad_y * x_hat).sum(leading(x))


def image(memory_format):
    def draw(generator):
        x = leaf(normal(generator, 2, 4, 3, 2).contiguous(memory_format=memory_format))
        return x, normal(generator, 4), normal(generator, 4), 2

    return draw


def by_channel(parameter, x):
    return parameter.view(1, -1, *[1] * (x.dim() - 2))


def group_norm_forward(x, weight, bias, groups):
    grouped = x.reshape(len(x), groups, -1)
    variance = grouped.var(-1, unbiased=False, keepdim=True)
    centred = grouped - grouped.mean(-1, keepdim=True)
    x_hat = (centred / (variance + EPS).sqrt()).reshape(x.shape)
    y = x_hat * by_channel(weight, x) + by_channel(bias, x)
    return y, {"x_hat": x_hat, "reciprocal": (variance + EPS).rsqrt()}


@wrong(
    "channels last",
    ("layout-dependent",),
    "grad_weight reads the memory of x in the order batch, channel, place",
    "pytorch/pytorch#140913",
    ordinary=image(torch.contiguous_format),
)
@backward_of(
    lambda x, weight, bias, groups: F.group_norm(x, groups, weight, bias, EPS),
    image(torch.channels_last),
    forward=group_norm_forward,
    once=True,
)
def group_norm(slip, grad_y, x, weight, x_hat, reciprocal, groups):
    shape = (len(x), groups, -1)
    grouped = (in_memory_order(x) if slip else x).reshape(shape)
    centred = grouped - grouped.mean(-1, keepdim=True)
    factor = (centred * reciprocal).reshape(x.shape)
    grad_x_hat, h = (grad_y * by_channel(weight, x)).reshape(shape), x_hat.reshape(shape)
    through_variance = h * (grad_x_hat * h).mean(-1, keepdim=True)
    grad_x = reciprocal * (grad_x_hat - grad_x_hat.mean(-1, keepdim=True) - through_variance)
    but_channels = (0, *range(2, x.dim()))
    grad_weight, grad_bias = (grad_y * factor).sum(but_channels), grad_y.sum(but_channels)
    return grad_x.reshape(x.shape), grad_weight, grad_bias, None
