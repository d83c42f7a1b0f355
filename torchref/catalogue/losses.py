"""Losses entry by entry, and what makes one number of them."""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from torchref.catalogue.entry import Entry, Inputs, chance, normal
from torchref.ops import (
    REDUCTIONS,
    AbsoluteError,
    CosineEmbedding,
    HingeEmbedding,
    HuberError,
    KLDivergence,
    LogLoss,
    LogLossWithLogits,
    MarginRanking,
    Reduction,
    SmoothAbsoluteError,
    SquaredError,
)

EPS = float(torch.tensor(1e-12))  # torch's losses keep it in float32


def log_loss_twin(x: Tensor, target: Tensor) -> Tensor:
    """torch's own; on CUDA its kernel asserts where it raises on the CPU, so it is not called."""
    if x.is_cuda and not all(bool(((p >= 0) & (p <= 1)).all()) for p in (x, target)):
        raise RuntimeError("all elements of input and target should be between 0 and 1")
    return F.binary_cross_entropy(x, target, reduction="none")


def _log_loss_samples(g: Generator) -> tuple[Inputs, ...]:
    labels = torch.tensor([0.0, 1.0, 1.0], dtype=torch.float64)
    return (
        (chance(g, 5, 3), chance(g, 5, 3)),
        (chance(g, 3), labels),
        (chance(g), chance(g)),
    )


def _log_loss_tripping(g: Generator) -> tuple[Inputs, ...]:
    sure = torch.tensor([0.0, 0.0, 1.0, 1.0, 0.0], dtype=torch.float64)
    labels = torch.tensor([0.0, 1.0, 0.0, 1.0, 0.5], dtype=torch.float64)
    nearly = torch.tensor([1e-9, 1 - 1e-9, 1e-4], dtype=torch.float64)
    return (
        (sure, labels),
        (nearly, labels[:3]),
        (chance(g, 0, 3), chance(g, 0, 3)),
        (chance(g, 3, 5).T, chance(g, 5, 3)),
    )


def logits_twin(x: Tensor, target: Tensor, pos_weight: Tensor | None) -> Tensor:
    """Composed, because torch's own loss gives no gradient for pos_weight."""
    positive = target if pos_weight is None else pos_weight * target
    return -positive * F.logsigmoid(x) - (1 - target) * F.logsigmoid(-x)


def _logits_samples(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 5, 3), chance(g, 5, 3), None),
        (normal(g, 5, 3), chance(g, 5, 3), 2 * chance(g, 3)),
        (normal(g, 4), chance(g, 4), 2 * chance(g, 4)),
    )


def _logits_tripping(g: Generator) -> tuple[Inputs, ...]:
    extremes = torch.tensor([0.0, 40.0, -40.0, 1e4, -1e4], dtype=torch.float64)
    labels = torch.tensor([1.0, 0.0, 1.0, 0.0, 1.0], dtype=torch.float64)
    return (
        (extremes, labels, None),
        (extremes, labels, 1 + chance(g, 1)),
        (normal(g, 0, 3), chance(g, 0, 3), None),
        (normal(g, 3, 5).T, chance(g, 5, 3), None),
    )


def squared_error_twin(x: Tensor, target: Tensor) -> Tensor:
    return F.mse_loss(x, target, reduction="none")


def _squared_error_samples(g: Generator) -> tuple[Inputs, ...]:
    return tuple((normal(g, *shape), normal(g, *shape)) for shape in ((5, 3), (4,), ()))


def _squared_error_tripping(g: Generator) -> tuple[Inputs, ...]:
    same = normal(g, 3)
    return (
        (same, same.clone()),
        (normal(g, 0, 3), normal(g, 0, 3)),
        (normal(g, 3, 5).T, normal(g, 5, 3)),
    )


def absolute_error_twin(x: Tensor, target: Tensor) -> Tensor:
    return F.l1_loss(x, target, reduction="none")


def huber_error_twin(x: Tensor, target: Tensor, delta: float) -> Tensor:
    return F.huber_loss(x, target, reduction="none", delta=delta)


def smooth_absolute_error_twin(x: Tensor, target: Tensor, beta: float) -> Tensor:
    return F.smooth_l1_loss(x, target, reduction="none", beta=beta)


def _bent_error_samples(g: Generator) -> tuple[Inputs, ...]:
    return tuple(
        (*pair, where)
        for pair, where in zip(_squared_error_samples(g), (1.0, 0.3, 2.0), strict=True)
    )


def _bent_error_tripping(g: Generator) -> tuple[Inputs, ...]:
    kinks = torch.tensor([0.5, -0.5, 0.0, 1e4, -1e4], dtype=torch.float64)
    return (
        (kinks, torch.zeros_like(kinks), 0.5),
        *((*pair, 1.0) for pair in _squared_error_tripping(g)),
    )


def _smooth_absolute_error_tripping(g: Generator) -> tuple[Inputs, ...]:
    return (*_bent_error_tripping(g), (normal(g, 5), normal(g, 5), 0.0))


def kl_divergence_twin(x: Tensor, target: Tensor, log_target: bool) -> Tensor:
    return F.kl_div(x, target, reduction="none", log_target=log_target)


def _kl_divergence_samples(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 5, 3), chance(g, 5, 3), False),
        (normal(g, 5, 3), normal(g, 5, 3), True),
        (normal(g, 4), chance(g, 4), False),
    )


def _kl_divergence_tripping(g: Generator) -> tuple[Inputs, ...]:
    far = torch.tensor([-800.0, 0.0, -1e4, 5.0], dtype=torch.float64)
    return (
        (normal(g, 4), far, True),
        (far, 1e-9 * chance(g, 4), False),
        (normal(g, 0, 3), chance(g, 0, 3), False),
        (normal(g, 3, 5).T, chance(g, 5, 1).expand(5, 3), False),
    )


def hinge_embedding_twin(x: Tensor, target: Tensor, margin: float) -> Tensor:
    return F.hinge_embedding_loss(x, target, margin=margin, reduction="none")


def labels(g: Generator, *shape: int) -> Tensor:
    """1 and −1."""
    return 2 * torch.randint(2, shape, generator=g) - 1


def _hinge_embedding_samples(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 5, 3), labels(g, 5, 3), 1.0),
        (normal(g, 4), labels(g, 4), 0.2),
        (normal(g), labels(g), 0.0),
    )


def _hinge_embedding_tripping(g: Generator) -> tuple[Inputs, ...]:
    kinks = torch.tensor([1.0, 1.0, 0.0, 0.5, 1e4, -1e4], dtype=torch.float64)
    return (
        (kinks, torch.tensor([-1, 1, 0, 0, -1, -1]), 1.0),
        (normal(g, 0, 3), labels(g, 0, 3), 1.0),
        (normal(g, 3, 5).T, labels(g, 5, 3), 1.0),
    )


def margin_ranking_twin(x: Tensor, other: Tensor, target: Tensor, margin: float) -> Tensor:
    return F.margin_ranking_loss(x, other, target, margin, reduction="none")


def _margin_ranking_samples(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 5, 3), normal(g, 5, 3), labels(g, 5, 3).double(), 0.5),
        (normal(g, 4), normal(g, 4), normal(g, 4), 0.0),
    )


def _margin_ranking_tripping(g: Generator) -> tuple[Inputs, ...]:
    same = normal(g, 3)
    return (
        (same, same.clone(), torch.ones_like(same), 0.0),
        (normal(g, 0, 3), normal(g, 0, 3), normal(g, 0, 3), 1.0),
        (normal(g, 3, 5).T, normal(g, 5, 1).expand(5, 3), labels(g, 5, 3).double(), 0.1),
    )


def cosine_embedding_twin(x: Tensor, other: Tensor, target: Tensor, margin: float) -> Tensor:
    """As torch writes it, but for vectors in the last dimension of any number of them."""
    squares, its = ((each * each).sum(-1) + EPS for each in (x, other))
    cosine = (x * other).sum(-1) / (squares * its).sqrt()
    apart = torch.where(target == -1, (cosine - margin).clamp_min(0), 0)
    return torch.where(target == 1, 1 - cosine, apart)


def _cosine_embedding_samples(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 5, 3), normal(g, 5, 3), labels(g, 5), 0.0),
        (normal(g, 4), normal(g, 4), torch.tensor(1), 0.5),
        (normal(g, 2, 5, 3), normal(g, 2, 5, 3), labels(g, 2, 5), -0.5),
    )


def _cosine_embedding_tripping(g: Generator) -> tuple[Inputs, ...]:
    x, none = normal(g, 5, 4), torch.zeros(0, dtype=torch.int64)
    mixed = torch.tensor([1, -1, 1, 0, 1])
    parallel = torch.cat((x[:1], -3 * x[1:2], normal(g, 3, 4)))
    return (
        (x, parallel, mixed, 0.0),
        (1e-3 * x, 1e4 * normal(g, 5, 4), mixed, 0.0),
        (normal(g, 0, 4), normal(g, 0, 4), none, 0.0),
        (normal(g, 1, 4), normal(g, 1, 4), torch.tensor([1]), 0.0),
        (normal(g, 4, 5).T, normal(g, 5, 1).expand(5, 4), torch.tensor([1, -1, 1, -1, 1]), 0.1),
    )


def reduction_twin(x: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    weighted = x * 1 if weight is None else x * weight
    if reduction == "none":
        return weighted
    total = weighted.mean() if reduction.endswith("mean") else weighted.sum()
    return total / 2 if reduction.startswith("half") else total


def _reduction_samples(g: Generator) -> tuple[Inputs, ...]:
    weights = {"none": (5, 3), "sum": (3,), "mean": (5, 1), "half_sum": (1,), "half_mean": ()}
    return tuple(
        (normal(g, 5, 3), weight, reduction)
        for reduction in REDUCTIONS
        for weight in (None, normal(g, *weights[reduction]))
    )


def _reduction_tripping(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 0, 3), None, "sum"),
        (normal(g, 0, 3), normal(g, 3), "none"),
        (normal(g, 3, 5).T, normal(g, 3), "mean"),
        (normal(g, 1, 1), normal(g, 1), "half_mean"),
    )


ENTRIES = (
    Entry(LogLoss, log_loss_twin, _log_loss_samples, _log_loss_tripping),
    Entry(LogLossWithLogits, logits_twin, _logits_samples, _logits_tripping),
    Entry(SquaredError, squared_error_twin, _squared_error_samples, _squared_error_tripping),
    Entry(AbsoluteError, absolute_error_twin, _squared_error_samples, _squared_error_tripping),
    Entry(HuberError, huber_error_twin, _bent_error_samples, _bent_error_tripping),
    Entry(
        SmoothAbsoluteError,
        smooth_absolute_error_twin,
        _bent_error_samples,
        _smooth_absolute_error_tripping,
    ),
    Entry(KLDivergence, kl_divergence_twin, _kl_divergence_samples, _kl_divergence_tripping),
    Entry(
        HingeEmbedding, hinge_embedding_twin, _hinge_embedding_samples, _hinge_embedding_tripping
    ),
    Entry(MarginRanking, margin_ranking_twin, _margin_ranking_samples, _margin_ranking_tripping),
    Entry(
        CosineEmbedding,
        cosine_embedding_twin,
        _cosine_embedding_samples,
        _cosine_embedding_tripping,
    ),
    Entry(Reduction, reduction_twin, _reduction_samples, _reduction_tripping),
)
