"""The log loss of probabilities and of logits."""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from torchref.catalogue.entry import Entry, Inputs, chance, normal
from torchref.ops import LogLoss, LogLossWithLogits


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


ENTRIES = (
    Entry(LogLoss, log_loss_twin, _log_loss_samples, _log_loss_tripping),
    Entry(LogLossWithLogits, logits_twin, _logits_samples, _logits_tripping),
)
