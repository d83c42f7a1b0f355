"""One entry for each op: the torch expression it claims to equal, and inputs to hold it to.

The tests and the command line walk over `CATALOGUE`; an op is checked by being listed here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from torchref.ops import (
    REDUCTIONS,
    Affine,
    HomogeneousAffine,
    LogLoss,
    LogLossWithLogits,
    LogSoftmax,
    Op,
    Reduction,
    ReLU,
    Sigmoid,
    Softmax,
    SoftmaxCrossEntropy,
    Softplus,
    SquaredError,
    Tanh,
)

Inputs = tuple[Any, ...]


@dataclass(frozen=True)
class Entry:
    """An op, its twin, and inputs in float64 drawn from a generator.

    samples    what the op is for: other ranks, optional inputs, every convention
    tripping   where handwritten gradients go wrong: empty, extreme, saturated, not contiguous
    """

    op: type[Op]
    twin: Callable[..., Tensor]
    samples: Callable[[Generator], tuple[Inputs, ...]]
    tripping: Callable[[Generator], tuple[Inputs, ...]]

    @property
    def name(self) -> str:
        return self.op.__name__

    def inputs(self, seed: int, device: torch.device | str = "cpu") -> tuple[Inputs, ...]:
        """All samples and tripping inputs, with the layouts that they have on the CPU."""
        generator = torch.Generator().manual_seed(seed)
        drawn = self.samples(generator) + self.tripping(generator)
        return tuple(
            tuple(x.to(device) if isinstance(x, Tensor) else x for x in each) for each in drawn
        )


def _normal(generator: Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def _chance(generator: Generator, *shape: int) -> Tensor:
    """In [0.1, 0.9]: away from the ends, where the log loss has its conventions."""
    return 0.1 + 0.8 * torch.rand(shape, generator=generator, dtype=torch.float64)


def _affine_samples(g: Generator) -> tuple[Inputs, ...]:
    weight, bias = _normal(g, 3, 4), _normal(g, 3)
    return (
        (_normal(g, 5, 4), weight, bias),
        (_normal(g, 5, 4), weight, None),
        (_normal(g, 4), weight, bias),
        (_normal(g, 2, 5, 4), weight, bias),
    )


def _affine_tripping(g: Generator) -> tuple[Inputs, ...]:
    return (
        (_normal(g, 0, 4), _normal(g, 3, 4), _normal(g, 3)),
        (_normal(g, 5, 0), _normal(g, 3, 0), _normal(g, 3)),
        (_normal(g, 1, 1), _normal(g, 1, 1), _normal(g, 1)),
        (_normal(g, 4, 5).T, _normal(g, 4, 3).T, _normal(g, 6)[::2]),
        (_normal(g, 1, 4).expand(5, 4), _normal(g, 3, 4), _normal(g, 1).expand(3)),
        (1e150 * _normal(g, 5, 4), _normal(g, 3, 4), 1e-150 * _normal(g, 3)),
    )


def _homogeneous_twin(x: Tensor, weight: Tensor) -> Tensor:
    return F.linear(x, weight[:, :-1], weight[:, -1])


def _homogeneous_samples(g: Generator) -> tuple[Inputs, ...]:
    weight = _normal(g, 3, 5)
    return ((_normal(g, 6, 4), weight), (_normal(g, 4), weight), (_normal(g, 2, 6, 4), weight))


def _homogeneous_tripping(g: Generator) -> tuple[Inputs, ...]:
    return (
        (_normal(g, 0, 4), _normal(g, 3, 5)),
        (_normal(g, 6, 0), _normal(g, 3, 1)),
        (_normal(g, 4, 6).T, _normal(g, 5, 3).T),
    )


def _elementwise_samples(g: Generator) -> tuple[Inputs, ...]:
    return ((_normal(g, 5, 3),), (_normal(g, 7),), (_normal(g),), (_normal(g, 2, 3, 4),))


def _elementwise_tripping(g: Generator) -> tuple[Inputs, ...]:
    extremes = torch.tensor([0.0, 1e-300, -1e-300, 40.0, -40.0, 1e4, -1e4], dtype=torch.float64)
    return ((extremes,), (_normal(g, 0, 3),), (_normal(g, 3, 5).T,), (_normal(g, 1).expand(4),))


def _softplus_twin(x: Tensor) -> Tensor:
    """torch's own softplus is the identity above its threshold."""
    return torch.logaddexp(x, torch.zeros_like(x))


def _log_loss_twin(x: Tensor, target: Tensor) -> Tensor:
    return F.binary_cross_entropy(x, target, reduction="none")


def _log_loss_samples(g: Generator) -> tuple[Inputs, ...]:
    labels = torch.tensor([0.0, 1.0, 1.0], dtype=torch.float64)
    return (
        (_chance(g, 5, 3), _chance(g, 5, 3)),
        (_chance(g, 3), labels),
        (_chance(g), _chance(g)),
    )


def _log_loss_tripping(g: Generator) -> tuple[Inputs, ...]:
    sure = torch.tensor([0.0, 0.0, 1.0, 1.0, 0.0], dtype=torch.float64)
    labels = torch.tensor([0.0, 1.0, 0.0, 1.0, 0.5], dtype=torch.float64)
    nearly = torch.tensor([1e-9, 1 - 1e-9, 1e-4], dtype=torch.float64)
    return (
        (sure, labels),
        (nearly, labels[:3]),
        (_chance(g, 0, 3), _chance(g, 0, 3)),
        (_chance(g, 3, 5).T, _chance(g, 5, 3)),
    )


def _logits_twin(x: Tensor, target: Tensor, pos_weight: Tensor | None) -> Tensor:
    """Composed, because torch's own loss gives no gradient for pos_weight."""
    positive = target if pos_weight is None else pos_weight * target
    return -positive * F.logsigmoid(x) - (1 - target) * F.logsigmoid(-x)


def _logits_samples(g: Generator) -> tuple[Inputs, ...]:
    return (
        (_normal(g, 5, 3), _chance(g, 5, 3), None),
        (_normal(g, 5, 3), _chance(g, 5, 3), 2 * _chance(g, 3)),
        (_normal(g, 4), _chance(g, 4), 2 * _chance(g, 4)),
    )


def _logits_tripping(g: Generator) -> tuple[Inputs, ...]:
    extremes = torch.tensor([0.0, 40.0, -40.0, 1e4, -1e4], dtype=torch.float64)
    labels = torch.tensor([1.0, 0.0, 1.0, 0.0, 1.0], dtype=torch.float64)
    return (
        (extremes, labels, None),
        (extremes, labels, 1 + _chance(g, 1)),
        (_normal(g, 0, 3), _chance(g, 0, 3), None),
        (_normal(g, 3, 5).T, _chance(g, 5, 3), None),
    )


def _softmax_twin(x: Tensor) -> Tensor:
    return torch.softmax(x, -1)


def _log_softmax_twin(x: Tensor) -> Tensor:
    return torch.log_softmax(x, -1)


def _softmax_samples(g: Generator) -> tuple[Inputs, ...]:
    return ((_normal(g, 5, 3),), (_normal(g, 7),), (_normal(g, 2, 3, 4),))


def _softmax_tripping(g: Generator) -> tuple[Inputs, ...]:
    ties = torch.tensor([[1e4, 1e4, -1e4], [-40.0, 0.0, 40.0]], dtype=torch.float64)
    return (
        (ties,),
        (_normal(g, 0, 3),),
        (_normal(g, 3, 5).T,),
        (_normal(g, 5, 1),),
        (_normal(g, 5, 1).expand(5, 4),),
    )


def _softmax_cross_entropy_twin(x: Tensor, target: Tensor) -> Tensor:
    """torch has the classes second; x is a row of logits or has them last."""
    dim = min(1, x.dim() - 1)
    return F.cross_entropy(x.movedim(-1, dim), target.movedim(-1, dim), reduction="none")


def _softmax_cross_entropy_samples(g: Generator) -> tuple[Inputs, ...]:
    return tuple((_normal(g, *shape), _chance(g, *shape)) for shape in ((5, 3), (4,), (2, 5, 3)))


def _softmax_cross_entropy_tripping(g: Generator) -> tuple[Inputs, ...]:
    sure = torch.tensor([[1e4, -1e4, 0.0], [40.0, 40.0, -40.0]], dtype=torch.float64)
    labels = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
    return (
        (sure, labels),
        (_normal(g, 0, 3), _chance(g, 0, 3)),
        (_normal(g, 5, 1), _chance(g, 5, 1)),
        (_normal(g, 3, 5).T, _chance(g, 5, 3)),
    )


def _squared_error_twin(x: Tensor, target: Tensor) -> Tensor:
    return F.mse_loss(x, target, reduction="none")


def _squared_error_samples(g: Generator) -> tuple[Inputs, ...]:
    return tuple((_normal(g, *shape), _normal(g, *shape)) for shape in ((5, 3), (4,), ()))


def _squared_error_tripping(g: Generator) -> tuple[Inputs, ...]:
    same = _normal(g, 3)
    return (
        (same, same.clone()),
        (_normal(g, 0, 3), _normal(g, 0, 3)),
        (_normal(g, 3, 5).T, _normal(g, 5, 3)),
    )


def _reduction_twin(x: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    weighted = x * 1 if weight is None else x * weight
    if reduction == "none":
        return weighted
    total = weighted.mean() if reduction.endswith("mean") else weighted.sum()
    return total / 2 if reduction.startswith("half") else total


def _reduction_samples(g: Generator) -> tuple[Inputs, ...]:
    weights = {"none": (5, 3), "sum": (3,), "mean": (5, 1), "half_sum": (1,), "half_mean": ()}
    return tuple(
        (_normal(g, 5, 3), weight, reduction)
        for reduction in REDUCTIONS
        for weight in (None, _normal(g, *weights[reduction]))
    )


def _reduction_tripping(g: Generator) -> tuple[Inputs, ...]:
    return (
        (_normal(g, 0, 3), None, "sum"),
        (_normal(g, 0, 3), _normal(g, 3), "none"),
        (_normal(g, 3, 5).T, _normal(g, 3), "mean"),
        (_normal(g, 1, 1), _normal(g, 1), "half_mean"),
    )


CATALOGUE: dict[str, Entry] = {
    entry.name: entry
    for entry in (
        Entry(Affine, F.linear, _affine_samples, _affine_tripping),
        Entry(HomogeneousAffine, _homogeneous_twin, _homogeneous_samples, _homogeneous_tripping),
        Entry(Sigmoid, torch.sigmoid, _elementwise_samples, _elementwise_tripping),
        Entry(
            Softplus,
            _softplus_twin,
            _elementwise_samples,
            _elementwise_tripping,
        ),
        Entry(Tanh, torch.tanh, _elementwise_samples, _elementwise_tripping),
        Entry(ReLU, F.relu, _elementwise_samples, _elementwise_tripping),
        Entry(LogLoss, _log_loss_twin, _log_loss_samples, _log_loss_tripping),
        Entry(LogLossWithLogits, _logits_twin, _logits_samples, _logits_tripping),
        Entry(Softmax, _softmax_twin, _softmax_samples, _softmax_tripping),
        Entry(LogSoftmax, _log_softmax_twin, _softmax_samples, _softmax_tripping),
        Entry(
            SoftmaxCrossEntropy,
            _softmax_cross_entropy_twin,
            _softmax_cross_entropy_samples,
            _softmax_cross_entropy_tripping,
        ),
        Entry(SquaredError, _squared_error_twin, _squared_error_samples, _squared_error_tripping),
        Entry(Reduction, _reduction_twin, _reduction_samples, _reduction_tripping),
    )
}
