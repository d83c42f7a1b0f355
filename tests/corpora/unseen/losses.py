"""Losses of one prediction and its target."""

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from tests.random_inputs import indices, leaf, normal, normals, uniform

from .by_hand import Slip, by_hand

POSITIVE_WEIGHT = torch.tensor([1.5, 4.0, 2.5], dtype=torch.float64)


def drawn_above(generator, bound, *shape):
    return torch.rand(shape, generator=generator) > bound


@by_hand(
    lambda x, target: (2 * (x * target).sum() + 1e-4) / (x.sum() + target.sum() + 1e-4),
    lambda generator: (
        uniform(generator, 0.0, 1.0, 4, 5),
        drawn_above(generator, 0.5, 4, 5).long(),
    ),
    Slip(
        "sign of the quotient rule",
        ("missing-term", "sign-flipped"),
        "plus for minus in the quotient rule",
        "milesial/Pytorch-UNet#35",
    ),
)
def dice(slip):
    """Tensors are attributes of ctx."""

    def forward(ctx, x, target):
        ctx.save_for_backward(target)
        ctx.twice = 2 * (x * target).sum() + 1e-4
        ctx.union = x.sum() + target.sum() + 1e-4
        return ctx.twice / ctx.union

    @once_differentiable
    def backward(ctx, grad_y):
        (target,) = ctx.saved_tensors
        sign = 1 if slip else -1
        return grad_y * (2 * target * ctx.union + sign * ctx.twice) / ctx.union**2, None

    return forward, backward


def with_beta(beta):
    return lambda generator: (normal(generator, 5, 4), normal(generator, 5, 4), beta)


@by_hand(
    lambda x, target, beta: F.smooth_l1_loss(x, target, reduction="none", beta=beta),
    with_beta(2.0),
    Slip(
        "no grad_y",
        ("ignores-grad-output",),
        "grad_y is not looked at",
        "kulinseth/pytorch#290",
        tripping=with_beta(1.0),
    ),
    Slip(
        "no beta",
        ("wrong-elements", "missing-local-derivative", "constant-factor"),
        "the quadratic part is not divided by β",
        "smooth L1 with another β than 1 in detectron2 and mmdetection",
        ordinary=with_beta(1.0),
    ),
)
def smooth_l1(slip):
    def forward(ctx, x, target, beta):
        d = x - target
        ctx.save_for_backward(d)
        ctx.beta = beta
        return torch.where(d.abs() < beta, 0.5 * d * d / beta, d.abs() - 0.5 * beta)

    @once_differentiable
    def backward(ctx, grad_y):
        (d,) = ctx.saved_tensors
        inner = d if slip == "no beta" else d / ctx.beta
        slope = torch.where(d.abs() < ctx.beta, inner, d.sign())
        grad_x = slope if slip == "no grad_y" else slope * grad_y
        return grad_x, -grad_x, None

    return forward, backward


def focal_loss(x, target, gamma):
    p = torch.sigmoid(torch.where(target, x, -x))
    return (-((1 - p) ** gamma) * p.log()).sum()


@by_hand(
    focal_loss,
    lambda generator: (normal(generator, 4, 5), drawn_above(generator, 0.5, 4, 5), 2.0),
    Slip(
        "no modulator",
        ("missing-term",),
        "(1 − p)^γ counts as a constant",
        "MIC-DKFZ/nnUNet#783",
    ),
)
def focal(slip):
    def forward(ctx, x, target, gamma):
        p = torch.sigmoid(x)
        p = torch.where(target, p, 1 - p)
        ctx.save_for_backward(p, target)
        ctx.gamma = gamma
        return (-((1 - p) ** gamma) * p.log()).sum()

    @once_differentiable
    def backward(ctx, grad_y):
        p, target = ctx.saved_tensors
        slope = -((1 - p) ** (ctx.gamma + 1))
        if not slip:
            slope = slope + ctx.gamma * (1 - p) ** ctx.gamma * p.log() * p
        return grad_y * torch.where(target, slope, -slope), None, None

    return forward, backward


def two_distributions(generator):
    return (
        leaf(normal(generator, 4, 5).log_softmax(-1)),
        leaf(normal(generator, 4, 5).softmax(-1)),
    )


@by_hand(
    lambda log_q, p: F.kl_div(log_q, p, reduction="batchmean"),
    two_distributions,
    Slip(
        "mean over entries",
        ("constant-factor",),
        "backward divides by all entries, forward by the batch",
        "mean and batchmean of kl_div in Liger's KL and JSD",
    ),
)
def kullback_leibler(slip):
    def forward(ctx, log_q, p):
        ctx.save_for_backward(p, log_q)
        return (torch.xlogy(p, p) - p * log_q).sum() / len(p)

    def backward(ctx, grad_y):
        p, log_q = ctx.saved_tensors
        n = p.numel() if slip else len(p)
        return -grad_y * p / n, grad_y * (p.log() + 1 - log_q) / n

    return forward, backward


def binary_cross_entropy(x, target):
    target = target.to(x.dtype)
    return F.binary_cross_entropy_with_logits(x, target, pos_weight=POSITIVE_WEIGHT)


@by_hand(
    binary_cross_entropy,
    lambda generator: (normal(generator, 4, 3), indices(generator, 2, 4, 3)),
    Slip(
        "no positive weight",
        ("missing-term", "wrong-elements"),
        "the gradient of positives lacks their weight",
        "pos_weight by hand in mmdetection and apex",
    ),
)
def binary_cross_entropy_with_weights(slip):
    def forward(ctx, x, target):
        ctx.save_for_backward(x, target)
        positive = POSITIVE_WEIGHT * target * F.softplus(-x)
        return (positive + (1 - target) * F.softplus(x)).mean()

    def backward(ctx, grad_y):
        x, target = ctx.saved_tensors
        p, weight = torch.sigmoid(x), 1 if slip else POSITIVE_WEIGHT
        slope = (1 - target) * p - weight * target * (1 - p)
        return grad_y * slope / x.numel(), None

    return forward, backward


@by_hand(
    F.mse_loss,
    normals((5, 4), (5, 4)),
    Slip(
        "mean over the batch",
        ("constant-factor",),
        "the mean is over all entries, the gradient is divided by the batch",
        "neuralmagic/sparseml#135",
    ),
)
def squared_error(slip):
    def forward(ctx, x, target):
        ctx.save_for_backward(x, target)
        return ((x - target) ** 2).mean()

    def backward(ctx, grad_y):
        x, target = ctx.saved_tensors
        grad_x = grad_y * 2 * (x - target) / (len(x) if slip else x.numel())
        return grad_x, -grad_x

    return forward, backward
