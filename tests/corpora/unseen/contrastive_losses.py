"""Losses that hold embeddings against each other."""

import torch
from torch.nn import functional as F

from tests.random_inputs import normal, number

from .by_hand import backward_of, wrong


def hinge(anchor, positive, negative, margin):
    near, far = (anchor - positive).pow(2).sum(-1), (anchor - negative).pow(2).sum(-1)
    return near - far + margin


def triplet_loss(anchor, positive, negative, margin):
    return hinge(anchor, positive, negative, margin).clamp_min(0)


@wrong(
    "inactive rows",
    ("wrong-elements", "missing-local-derivative"),
    "rows beyond the margin are not masked",
    "triplet layers of VNet and caffe",
)
@backward_of(
    lambda *given: torch.relu(hinge(*given)),
    lambda generator: (*(normal(generator, 6, 3) for _ in range(3)), 0.2),
    forward=triplet_loss,
    once=True,
)
def triplet(slip, grad_y, anchor, positive, negative, y):
    k = 2 * (grad_y if slip else grad_y * (y > 0))[:, None]
    return k * (negative - positive), k * (positive - anchor), k * (anchor - negative), None


def both_ways(logits):
    target = torch.arange(len(logits))
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.t(), target)) / 2


def image_and_text_forward(a, b, log_scale):
    scale, similarity = log_scale.exp(), a @ b.t()
    return both_ways(scale * similarity), {"scale": scale, "similarity": similarity}


@wrong(
    "scale without its exponential",
    ("missing-local-derivative", "constant-factor"),
    "the exponential of the logarithmic scale is not differentiated",
    "the logit scale of CLIP losses",
)
@backward_of(
    lambda a, b, log_scale: both_ways(log_scale.exp() * a @ b.t()),
    lambda generator: (normal(generator, 5, 4), normal(generator, 5, 4), number(0.7)),
    forward=image_and_text_forward,
    once=True,
)
def image_and_text(slip, grad_y, a, b, scale, similarity):
    logits, one = scale * similarity, torch.eye(len(a), dtype=a.dtype)
    rows, columns = torch.softmax(logits, 1) - one, torch.softmax(logits, 0) - one
    grad_z = grad_y * (rows + columns) / (2 * len(a))
    grad_log_scale = (grad_z * similarity).sum() * (1 if slip else scale)
    return scale * grad_z @ b, scale * grad_z.t() @ a, grad_log_scale
