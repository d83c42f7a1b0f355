"""Losses divided by the wrong count, or without their options in backward."""

import torch
from torch.nn import functional as F

from .planted import PlantedBug, SavesInputs, indices, normal

IGNORED = -100


def one_hot(target, classes, dtype):
    """A row of zeros where the target is ignored."""
    kept = target != IGNORED
    hot = F.one_hot(torch.where(kept, target, 0), classes)
    return (hot * kept.unsqueeze(-1)).to(dtype)


class CrossEntropy(SavesInputs):
    """Mean cross entropy of the rows that are not ignored, for logits of shape (N, C)."""

    @staticmethod
    def forward(logits, target):
        return F.cross_entropy(logits, target)

    @staticmethod
    def backward(ctx, grad_loss):
        return grad_loss * grad_of_sum(*ctx.saved_tensors) / kept_rows(ctx), None


def grad_of_sum(logits, target):
    kept = (target != IGNORED).unsqueeze(-1).to(logits.dtype)
    return logits.softmax(-1) * kept - one_hot(target, logits.shape[-1], logits.dtype)


def kept_rows(ctx):
    return (ctx.saved_tensors[1] != IGNORED).sum()


class CrossEntropyOverAllRows(CrossEntropy):
    """Backward divides by all rows, ignored ones included."""

    @staticmethod
    def backward(ctx, grad_loss):
        logits, target = ctx.saved_tensors
        return grad_loss * grad_of_sum(logits, target) / len(logits), None


class CrossEntropyMeanOverAllRows(CrossEntropyOverAllRows):
    """Loss and gradient both divide by all rows: they agree with each other and are wrong."""

    @staticmethod
    def forward(logits, target):
        return F.cross_entropy(logits, target, reduction="sum") / len(logits)


class CrossEntropyWithoutMask(CrossEntropy):
    """Ignored rows receive the softmax."""

    @staticmethod
    def backward(ctx, grad_loss):
        logits, target = ctx.saved_tensors
        hot = one_hot(target, logits.shape[-1], logits.dtype)
        return grad_loss * (logits.softmax(-1) - hot) / kept_rows(ctx), None


class SmoothedCrossEntropy(SavesInputs):
    """Mean cross entropy against targets mixed with the uniform distribution."""

    @staticmethod
    def forward(logits, target, smoothing):
        return F.cross_entropy(logits, target, label_smoothing=smoothing)

    @staticmethod
    def backward(ctx, grad_loss):
        logits, target = ctx.saved_tensors
        (smoothing,) = ctx.options
        classes = logits.shape[-1]
        kept = (target != IGNORED).unsqueeze(-1).to(logits.dtype)
        hot = one_hot(target, classes, logits.dtype)
        wanted = (1 - smoothing) * hot + smoothing / classes * kept
        return grad_loss * (logits.softmax(-1) * kept - wanted) / kept_rows(ctx), None, None


class SmoothedCrossEntropyForgettingIt(SmoothedCrossEntropy):
    """Backward knows nothing of the smoothing."""

    @staticmethod
    def backward(ctx, grad_loss):
        return grad_loss * grad_of_sum(*ctx.saved_tensors) / kept_rows(ctx), None, None


class WeightedCrossEntropy(SavesInputs):
    """Mean cross entropy in which every row counts with the weight of its class."""

    @staticmethod
    def forward(logits, target, class_weight):
        return F.cross_entropy(logits, target, class_weight)

    @staticmethod
    def backward(ctx, grad_loss):
        logits, target, class_weight = ctx.saved_tensors
        row_weight = class_weight[target].unsqueeze(-1)
        grad_logits = row_weight * grad_of_sum(logits, target) / row_weight.sum()
        return grad_loss * grad_logits, None, None


class WeightedCrossEntropyOverRows(WeightedCrossEntropy):
    """Divides by the number of rows, not by the sum of their weights."""

    @staticmethod
    def backward(ctx, grad_loss):
        logits, target, class_weight = ctx.saved_tensors
        row_weight = class_weight[target].unsqueeze(-1)
        return grad_loss * row_weight * grad_of_sum(logits, target) / len(logits), None, None


def rows_with_target(generator):
    return normal(generator, 6, 4), indices(generator, 4, 6)


def rows_with_ignored_target(generator):
    logits, target = normal(generator, 6, 4), indices(generator, 4, 6)
    target[1] = target[4] = IGNORED
    return logits, target


def smoothed_by(smoothing):
    def draw(generator):
        return normal(generator, 5, 4), indices(generator, 4, 5), smoothing

    return draw


def weighted_rows(generator):
    return *rows_with_target(generator), torch.tensor([0.5, 2.0, 1.5, 0.25], dtype=torch.float64)


def smoothed_cross_entropy(logits, target, smoothing):
    return F.cross_entropy(logits, target, label_smoothing=smoothing)


BUGS = (
    PlantedBug(
        name="cross entropy backward divides by ignored rows too",
        wrong=CrossEntropyOverAllRows,
        right=CrossEntropy,
        reference=F.cross_entropy,
        ordinary=rows_with_target,
        tripping=rows_with_ignored_target,
        causes=("constant-factor",),
        source="ROCm/TransformerEngine#336",
    ),
    PlantedBug(
        name="cross entropy divides loss and gradient by ignored rows too",
        wrong=CrossEntropyMeanOverAllRows,
        right=CrossEntropy,
        reference=F.cross_entropy,
        ordinary=rows_with_target,
        tripping=rows_with_ignored_target,
        causes=("forward-wrong",),
        source="ROCm/TransformerEngine#409",
    ),
    PlantedBug(
        name="cross entropy lets ignored rows through",
        wrong=CrossEntropyWithoutMask,
        right=CrossEntropy,
        reference=F.cross_entropy,
        ordinary=rows_with_target,
        tripping=rows_with_ignored_target,
        causes=("wrong-elements",),
        source="ROCm/TransformerEngine#336",
    ),
    PlantedBug(
        name="cross entropy backward forgets label smoothing",
        wrong=SmoothedCrossEntropyForgettingIt,
        right=SmoothedCrossEntropy,
        reference=smoothed_cross_entropy,
        ordinary=smoothed_by(0.0),
        tripping=smoothed_by(0.2),
        causes=("missing-term",),
        source="an option of the loss forgotten in backward",
    ),
    PlantedBug(
        name="weighted cross entropy divides by the rows",
        wrong=WeightedCrossEntropyOverRows,
        right=WeightedCrossEntropy,
        reference=F.cross_entropy,
        ordinary=weighted_rows,
        tripping=weighted_rows,
        causes=("constant-factor",),
        source="the wrong denominator of a weighted mean",
    ),
)
