"""What is divided by a norm: the projection off the direction."""

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from tests.random_inputs import leaf, normal, normals

from .by_hand import backward_of, by_hand, wrong


def length(x):
    return x.norm(dim=-1, keepdim=True)


@wrong(
    "no projection",
    ("missing-term",),
    "the projection off v is absent",
    "facebookresearch/higher#14",
)
@backward_of(lambda v, gain: v / length(v) * gain, normals((3, 4), (3, 1)), once=True)
def weight_norm(slip, grad_y, v, gain):
    norm = length(v)
    direction = v / norm
    grad_gain = (grad_y * direction).sum(1, keepdim=True)
    grad_v = gain / norm * (grad_y if slip else grad_y - direction * grad_gain)
    return grad_v, grad_gain


def one_row_below_epsilon(generator):
    x = normal(generator, 4, 3).detach()
    x[2] *= 0.01
    return leaf(x), 0.1


@wrong(
    "below epsilon",
    ("wrong-elements",),
    "below ε the divisor is constant, and backward projects all the same",
    "F.normalize by hand in FlagGems and mmcv",
    ordinary=lambda generator: (normal(generator, 4, 3), 0.1),
)
@backward_of(lambda x, eps: x / length(x).clamp_min(eps), one_row_below_epsilon, once=True)
def normalise(slip, grad_y, x, eps, y):
    norm = length(x)
    grad_x = (grad_y - y * (y * grad_y).sum(-1, keepdim=True)) / norm.clamp_min(eps)
    if not slip:
        grad_x = torch.where(norm < eps, grad_y / eps, grad_x)
    return grad_x, None


def spectral_norm_forward(weight):
    left, sigma, right = torch.linalg.svd(weight)
    return weight / sigma[0], {"left": left[:, 0], "sigma": sigma[0], "right": right[0]}


@wrong(
    "constant sigma",
    ("missing-term",),
    "the largest singular value counts as a constant",
    "spectral normalisation with σ detached",
)
@backward_of(
    lambda weight: weight / torch.linalg.matrix_norm(weight, 2),
    normals((4, 3)),
    forward=spectral_norm_forward,
    once=True,
)
def spectral_norm(slip, grad_y, weight, left, sigma, right):
    if slip:
        return grad_y / sigma
    grad_sigma = -(grad_y * weight).sum() / sigma**2
    return grad_y / sigma + grad_sigma * torch.outer(left, right)


@wrong(
    "no projection",
    ("missing-term",),
    "−c·a/|a|² is absent",
    "cosine similarity by hand in caffe and mxnet",
)
@by_hand(lambda a, b: F.cosine_similarity(a, b, dim=-1), normals((5, 4), (5, 4)))
def cosine_similarity(slip):
    """A norm counts as 1e-8 at least, as it does in torch: a vector of zeros has a gradient."""

    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        norms = a.norm(dim=-1).clamp_min(1e-8) * b.norm(dim=-1).clamp_min(1e-8)
        return (a * b).sum(-1) / norms

    def backward(ctx, grad_y):
        a, b = ctx.saved_tensors
        norm_a, norm_b = length(a).clamp_min(1e-8), length(b).clamp_min(1e-8)
        cosine = (a * b).sum(-1, keepdim=True) / (norm_a * norm_b)
        grad_a, grad_b = b / (norm_a * norm_b), a / (norm_a * norm_b)
        if not slip:
            grad_a = grad_a - torch.where(length(a) > 1e-8, cosine * a / norm_a**2, 0)
        grad_b = grad_b - torch.where(length(b) > 1e-8, cosine * b / norm_b**2, 0)
        return grad_y[:, None] * grad_a, grad_y[:, None] * grad_b

    return forward, backward if slip else once_differentiable(backward)
