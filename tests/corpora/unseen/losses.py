"""Losses of one prediction and its target."""

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from tests.random_inputs import indices, leaf, normal, normals, uniform

from .by_hand import backward_of, by_hand, wrong

POSITIVE_WEIGHT = torch.tensor([1.5, 4.0, 2.5], dtype=torch.float64)


def drawn_above(generator, bound, *shape):
    return torch.rand(shape, generator=generator) > bound


@wrong(
    "sign of the quotient rule",
    ("missing-term", "sign-flipped"),
    "plus for minus in the quotient rule",
    "milesial/Pytorch-UNet#35",
)
@by_hand(
    lambda x, target: (2 * (x * target).sum() + 1e-4) / (x.sum() + target.sum() + 1e-4),
    lambda generator: (
        uniform(generator, 0.0, 1.0, 4, 5),
        drawn_above(generator, 0.5, 4, 5).long(),
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


def smooth_l1_forward(x, target, beta):
    d = x - target
    return torch.where(d.abs() < beta, 0.5 * d * d / beta, d.abs() - 0.5 * beta), {"d": d}


@wrong(
    "no grad_y",
    ("ignores-grad-output",),
    "grad_y is not looked at",
    "kulinseth/pytorch#290",
    tripping=with_beta(1.0),
)
@wrong(
    "no beta",
    ("wrong-elements", "missing-local-derivative", "constant-factor"),
    "the quadratic part is not divided by β",
    "smooth L1 with another β than 1 in detectron2 and mmdetection",
    ordinary=with_beta(1.0),
)
@backward_of(
    lambda x, target, beta: F.smooth_l1_loss(x, target, reduction="none", beta=beta),
    with_beta(2.0),
    forward=smooth_l1_forward,
    once=True,
)
def smooth_l1(slip, grad_y, d, beta):
    inner = d if slip == "no beta" else d / beta
    slope = torch.where(d.abs() < beta, inner, d.sign())
    grad_x = slope if slip == "no grad_y" else slope * grad_y
    return grad_x, -grad_x, None


def focal_loss(x, target, gamma):
    p = torch.sigmoid(torch.where(target, x, -x))
    return (-((1 - p) ** gamma) * p.log()).sum()


def focal_forward(x, target, gamma):
    p = torch.sigmoid(x)
    p = torch.where(target, p, 1 - p)
    return (-((1 - p) ** gamma) * p.log()).sum(), {"p": p}


@wrong("no modulator", ("missing-term",), "(1 − p)^γ counts as a constant", "MIC-DKFZ/nnUNet#783")
@backward_of(
    focal_loss,
    lambda generator: (normal(generator, 4, 5), drawn_above(generator, 0.5, 4, 5), 2.0),
    forward=focal_forward,
    once=True,
)
def focal(slip, grad_y, p, target, gamma):
    slope = -((1 - p) ** (gamma + 1))
    if not slip:
        slope = slope + gamma * (1 - p) ** gamma * p.log() * p
    return grad_y * torch.where(target, slope, -slope), None, None


def two_distributions(generator):
    log_q, p = normal(generator, 4, 5).log_softmax(-1), normal(generator, 4, 5).softmax(-1)
    return leaf(log_q), leaf(p)


@wrong(
    "mean over entries",
    ("constant-factor",),
    "backward divides by all entries, forward by the batch",
    "mean and batchmean of kl_div in Liger's KL and JSD",
)
@backward_of(
    lambda log_q, p: F.kl_div(log_q, p, reduction="batchmean"),
    two_distributions,
    forward=lambda log_q, p: (torch.xlogy(p, p) - p * log_q).sum() / len(p),
)
def kullback_leibler(slip, grad_y, p, log_q):
    n = p.numel() if slip else len(p)
    return -grad_y * p / n, grad_y * (p.log() + 1 - log_q) / n


def binary_cross_entropy(x, target):
    target = target.to(x.dtype)
    return F.binary_cross_entropy_with_logits(x, target, pos_weight=POSITIVE_WEIGHT)


def binary_cross_entropy_with_weights_forward(x, target):
    positive = POSITIVE_WEIGHT * target * F.softplus(-x)
    return (positive + (1 - target) * F.softplus(x)).mean()


@wrong(
    "no positive weight",
    ("missing-term", "wrong-elements"),
    "the gradient of positives lacks their weight",
    "pos_weight by hand in mmdetection and apex",
)
@backward_of(
    binary_cross_entropy,
    lambda generator: (normal(generator, 4, 3), indices(generator, 2, 4, 3)),
    forward=binary_cross_entropy_with_weights_forward,
)
def binary_cross_entropy_with_weights(slip, grad_y, x, target):
    p, weight = torch.sigmoid(x), 1 if slip else POSITIVE_WEIGHT
    slope = (1 - target) * p - weight * target * (1 - p)
    return grad_y * slope / x.numel(), None


@wrong(
    "mean over the batch",
    ("constant-factor",),
    "the mean is over all entries, the gradient is divided by the batch",
    "neuralmagic/sparseml#135",
)
@backward_of(
    F.mse_loss, normals((5, 4), (5, 4)), forward=lambda x, target: ((x - target) ** 2).mean()
)
def squared_error(slip, grad_y, x, target):
    grad_x = grad_y * 2 * (x - target) / (len(x) if slip else x.numel())
    return grad_x, -grad_x
