"""Losses divided by the wrong count, or without their options in backward."""

import torch
from torch.nn import functional as F

from tests.corpora.rows import IGNORED, rows_with_ignored_target, rows_with_target, weighted_rows
from tests.random_inputs import indices, normal

from .planted import at, wrong_backward, wrong_function
from .rule import gradients_of


def one_hot(target, classes, dtype):
    """A row of zeros where the target is ignored."""
    kept = target != IGNORED
    hot = F.one_hot(torch.where(kept, target, 0), classes)
    return (hot * kept.unsqueeze(-1)).to(dtype)


def grad_of_sum(logits, target):
    kept = (target != IGNORED).unsqueeze(-1).to(logits.dtype)
    return logits.softmax(-1) * kept - one_hot(target, logits.shape[-1], logits.dtype)


def kept_rows(target):
    return (target != IGNORED).sum()


@at(rows_with_target, tripping=rows_with_ignored_target)
@gradients_of(lambda logits, target: F.cross_entropy(logits, target))
def CrossEntropy(grad_loss, logits, target):
    """Mean cross entropy of the rows that are not ignored, for logits of shape (N, C)."""
    return grad_loss * grad_of_sum(logits, target) / kept_rows(target), None


@wrong_backward(CrossEntropy, "constant-factor", source="ROCm/TransformerEngine#336")
def cross_entropy_backward_divides_by_ignored_rows_too(grad_loss, logits, target):
    return grad_loss * grad_of_sum(logits, target) / len(logits), None


@wrong_function(CrossEntropy, "forward-wrong", source="ROCm/TransformerEngine#409")
@gradients_of(lambda logits, target: F.cross_entropy(logits, target, reduction="sum") / len(logits))
def CrossEntropyDividesLossAndGradientByIgnoredRowsToo(grad_loss, logits, target):
    """They agree with each other and are wrong."""
    return grad_loss * grad_of_sum(logits, target) / len(logits), None


@wrong_backward(CrossEntropy, "wrong-elements", source="ROCm/TransformerEngine#336")
def cross_entropy_lets_ignored_rows_through(grad_loss, logits, target):
    """Ignored rows receive the softmax."""
    hot = one_hot(target, logits.shape[-1], logits.dtype)
    return grad_loss * (logits.softmax(-1) - hot) / kept_rows(target), None


@gradients_of(
    lambda logits, target, smoothing: F.cross_entropy(logits, target, label_smoothing=smoothing)
)
def SmoothedCrossEntropy(grad_loss, logits, target, smoothing):
    """Mean cross entropy against targets mixed with the uniform distribution."""
    classes = logits.shape[-1]
    kept = (target != IGNORED).unsqueeze(-1).to(logits.dtype)
    hot = one_hot(target, classes, logits.dtype)
    wanted = (1 - smoothing) * hot + smoothing / classes * kept
    return grad_loss * (logits.softmax(-1) * kept - wanted) / kept_rows(target), None, None


def smoothed_by(smoothing):
    def draw(generator):
        return normal(generator, 5, 4), indices(generator, 4, 5), smoothing

    return draw


@wrong_backward(
    SmoothedCrossEntropy, "missing-term", source="an option of the loss forgotten in backward"
)
@at(smoothed_by(0.0), tripping=smoothed_by(0.2))
def cross_entropy_backward_forgets_label_smoothing(grad_loss, logits, target, smoothing):
    return grad_loss * grad_of_sum(logits, target) / kept_rows(target), None, None


@gradients_of(lambda logits, target, class_weight: F.cross_entropy(logits, target, class_weight))
def WeightedCrossEntropy(grad_loss, logits, target, class_weight):
    """Mean cross entropy in which every row counts with the weight of its class."""
    row_weight = class_weight[target].unsqueeze(-1)
    grad_logits = row_weight * grad_of_sum(logits, target) / row_weight.sum()
    return grad_loss * grad_logits, None, None


@wrong_backward(
    WeightedCrossEntropy, "constant-factor", source="the wrong denominator of a weighted mean"
)
@at(weighted_rows)
def weighted_cross_entropy_divides_by_the_rows(grad_loss, logits, target, class_weight):
    """Divides by the number of rows, not by the sum of their weights."""
    row_weight = class_weight[target].unsqueeze(-1)
    return grad_loss * row_weight * grad_of_sum(logits, target) / len(logits), None, None
