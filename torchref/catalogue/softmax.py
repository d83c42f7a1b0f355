"""The softmax and its relatives, the cross-entropies behind it, and losses of class numbers."""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from torchref.catalogue.entry import Entry, Inputs, chance, normal
from torchref.ops import (
    NLL,
    IndexCrossEntropy,
    LinearCrossEntropy,
    LogSoftmax,
    LogSumExp,
    MultiMargin,
    Softmax,
    SoftmaxCrossEntropy,
    Sparsemax,
)

TIES = torch.tensor([[1e4, 1e4, -1e4], [-40.0, 0.0, 40.0]], dtype=torch.float64)


def _along_a_dim(g: Generator) -> tuple[Inputs, ...]:
    return ((normal(g, 5, 3), -1), (normal(g, 7), 0), (normal(g, 2, 3, 4), 1))


def _along_a_dim_tripping(g: Generator) -> tuple[Inputs, ...]:
    return (
        (TIES, -1),
        (normal(g, 0, 3), -1),
        (normal(g, 3, 0), 1),
        (normal(g, 3, 5).T, 0),
        (normal(g, 5, 1), -1),
        (normal(g, 5, 1).expand(5, 4), -1),
        (normal(g), 0),
    )


def log_sum_exp_twin(x: Tensor, dims: tuple[int, ...]) -> Tensor:
    return torch.logsumexp(x, dims, keepdim=True)


def _log_sum_exp_samples(g: Generator) -> tuple[Inputs, ...]:
    return ((normal(g, 5, 3), (-1,)), (normal(g, 7), (0,)), (normal(g, 2, 3, 4), (0, 2)))


def _log_sum_exp_tripping(g: Generator) -> tuple[Inputs, ...]:
    return tuple((x, (dim,)) for x, dim in _along_a_dim_tripping(g))


def sparsemax_twin(x: Tensor, dim: int) -> Tensor:
    """x − τ where it is positive, τ by autograd through the sorted x."""
    if not x.numel():
        return x.clone()
    below = x - x.amax(dim, keepdim=True).detach()
    sorted_x = below.sort(dim, descending=True).values
    sums, number = sorted_x.cumsum(dim), torch.ones_like(x).cumsum(dim)
    k = (1 + number * sorted_x > sums).sum(dim, keepdim=True)
    tau = (sums.gather(dim, k - 1) - 1) / k
    return torch.where(below > tau, below - tau, 0)


def _sparsemax_tripping(g: Generator) -> tuple[Inputs, ...]:
    dense = 0.1 * normal(g, 5, 4)  # all inside of the support
    kinks = torch.tensor([[1.0, 0.0, -5.0], [2.0, 2.0, 1.5]], dtype=torch.float64)
    return ((dense, -1), (kinks, -1), *_along_a_dim_tripping(g))


def softmax_cross_entropy_twin(x: Tensor, target: Tensor) -> Tensor:
    """torch has the classes second; x is a row of logits or has them last."""
    dim = min(1, x.dim() - 1)
    return F.cross_entropy(x.movedim(-1, dim), target.movedim(-1, dim), reduction="none")


def _softmax_cross_entropy_samples(g: Generator) -> tuple[Inputs, ...]:
    return tuple((normal(g, *shape), chance(g, *shape)) for shape in ((5, 3), (4,), (2, 5, 3)))


def _softmax_cross_entropy_tripping(g: Generator) -> tuple[Inputs, ...]:
    sure = torch.tensor([[1e4, -1e4, 0.0], [40.0, 40.0, -40.0]], dtype=torch.float64)
    labels = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
    return (
        (sure, labels),
        (normal(g, 0, 3), chance(g, 0, 3)),
        (normal(g, 5, 1), chance(g, 5, 1)),
        (normal(g, 3, 5).T, chance(g, 5, 3)),
    )


def class_row(target: Tensor, ignore_index: int, like: Tensor) -> Tensor:
    """A one for the right class; of rows that do not count, zeros."""
    counts = target != ignore_index
    row = F.one_hot(torch.where(counts, target, 0), like.shape[-1]).to(like.dtype)
    return row * counts.unsqueeze(-1)


def nll_twin(x: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int) -> Tensor:
    """Composed, because torch's own loss gives no gradient for weight."""
    weighed = x if weight is None else weight * x
    return -(class_row(target, ignore_index, x) * weighed).sum(-1)


def numbers(g: Generator, classes: int, *shape: int) -> Tensor:
    """Class numbers."""
    return torch.randint(classes, shape, generator=g)


def _nll_samples(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 5, 3), numbers(g, 3, 5), 2 * chance(g, 3), -100),
        (normal(g, 4), numbers(g, 4), None, -100),
        (normal(g, 2, 5, 3), numbers(g, 3, 2, 5), chance(g, 3), 1),
    )


def _nll_tripping(g: Generator) -> tuple[Inputs, ...]:
    some_ignored = torch.tensor([2, -100, 0, -100, 2])
    return (
        (normal(g, 5, 3), some_ignored, chance(g, 3), -100),
        (normal(g, 5, 3), torch.full((5,), 1), None, 1),
        (normal(g, 0, 3), numbers(g, 3, 0), chance(g, 3), -100),
        (normal(g, 5, 1), numbers(g, 1, 5), chance(g, 1), -100),
        (normal(g, 3, 5).T, numbers(g, 3, 5), chance(g, 1).expand(3), -100),
    )


def index_cross_entropy_twin(
    x: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, label_smoothing: float
) -> Tensor:
    """Composed, because torch's own loss gives no gradient for weight."""
    log_p = F.log_softmax(x, -1)
    weighed = log_p if weight is None else weight * log_p
    row = (1 - label_smoothing) * class_row(target, ignore_index, x)
    smooth = label_smoothing * (target != ignore_index).to(x.dtype) * weighed.mean(-1)
    return -(row * weighed).sum(-1) - smooth


def _index_cross_entropy_samples(g: Generator) -> tuple[Inputs, ...]:
    plain, smooth, ignoring = _nll_samples(g)
    return (*plain, 0.0), (*smooth, 0.1), (*ignoring, 0.3)


def _index_cross_entropy_tripping(g: Generator) -> tuple[Inputs, ...]:
    sure, wrong = torch.tensor([0, 2]), torch.tensor([2, 0])
    return (
        *(
            (TIES, target, None, -100, smoothing)
            for target, smoothing in ((sure, 0.1), (wrong, 0.0))
        ),
        *((*given, 0.2 if given[0].shape[-1] > 1 else 0.0) for given in _nll_tripping(g)),
    )


def linear_cross_entropy_twin(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    target: Tensor,
    class_weight: Tensor | None,
    ignore_index: int,
    label_smoothing: float,
    rows: int,
) -> Tensor:
    """All logits at one time, whatever `rows` is."""
    assert rows > 0
    logits = F.linear(x, weight, bias)
    return index_cross_entropy_twin(logits, target, class_weight, ignore_index, label_smoothing)


def _linear_cross_entropy_samples(g: Generator) -> tuple[Inputs, ...]:
    weight, of_class = normal(g, 3, 4), chance(g, 3)
    return (
        (normal(g, 5, 4), weight, normal(g, 3), numbers(g, 3, 5), of_class, -100, 0.1, 2),
        (normal(g, 2, 4), weight, None, torch.tensor([1, 2]), None, 1, 0.0, 3),
    )


def _linear_cross_entropy_tripping(g: Generator) -> tuple[Inputs, ...]:
    weight, bias, ignored = normal(g, 3, 4), normal(g, 3), torch.tensor([2, -100, 0, -100, 2])
    return (
        (normal(g, 5, 4), weight, bias, ignored, chance(g, 3), -100, 0.0, 1),
        (1e4 * normal(g, 5, 4), weight, bias, ignored, None, -100, 0.0, 5),
        (normal(g, 0, 4), weight, bias, numbers(g, 3, 0), None, -100, 0.1, 2),
        (normal(g, 5, 0), normal(g, 3, 0), bias, numbers(g, 3, 5), None, -100, 0.0, 2),
        (normal(g, 1, 1), normal(g, 1, 1), None, numbers(g, 1, 1), None, -100, 0.0, 7),
        (normal(g, 4, 5).T, normal(g, 4, 3).T, bias, ignored, chance(g, 1).expand(3), -100, 0.2, 4),
    )


def multi_margin_twin(
    x: Tensor, target: Tensor, weight: Tensor | None, p: int, margin: float
) -> Tensor:
    """Composed: torch's own loss gives no gradient for weight, and no second one."""
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    row = F.one_hot(target, x.shape[-1]).to(x.dtype)
    z = margin - (row * x).sum(-1, keepdim=True) + x
    y = ((1 - row) * z.relu() ** p).sum(-1) / x.shape[-1]
    return y if weight is None else (row * weight).sum(-1) * y


def _multi_margin_samples(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 5, 3), numbers(g, 3, 5), chance(g, 3), 1, 1.0),
        (normal(g, 5, 3), numbers(g, 3, 5), chance(g, 3), 2, 0.5),
        (normal(g, 4), torch.tensor(2), None, 2, 1.0),
    )


def _multi_margin_tripping(g: Generator) -> tuple[Inputs, ...]:
    kinks = torch.tensor([[1.0, 2.0, 0.0], [0.0, 0.0, 0.0]], dtype=torch.float64)
    return (
        (kinks, torch.tensor([1, 2]), None, 1, 1.0),
        (kinks, torch.tensor([1, 2]), chance(g, 3), 2, 0.0),
        (normal(g, 0, 3), numbers(g, 3, 0), chance(g, 3), 1, 1.0),
        (normal(g, 5, 1), numbers(g, 1, 5), None, 1, 1.0),
        (normal(g, 3, 5).T, torch.tensor([0, 2, 2, 1, 0]), chance(g, 1).expand(3), 2, 1.0),
    )


ENTRIES = (
    Entry(Softmax, torch.softmax, _along_a_dim, _along_a_dim_tripping),
    Entry(LogSoftmax, torch.log_softmax, _along_a_dim, _along_a_dim_tripping),
    Entry(LogSumExp, log_sum_exp_twin, _log_sum_exp_samples, _log_sum_exp_tripping),
    Entry(Sparsemax, sparsemax_twin, _along_a_dim, _sparsemax_tripping),
    Entry(
        SoftmaxCrossEntropy,
        softmax_cross_entropy_twin,
        _softmax_cross_entropy_samples,
        _softmax_cross_entropy_tripping,
    ),
    Entry(NLL, nll_twin, _nll_samples, _nll_tripping),
    Entry(
        IndexCrossEntropy,
        index_cross_entropy_twin,
        _index_cross_entropy_samples,
        _index_cross_entropy_tripping,
    ),
    Entry(
        LinearCrossEntropy,
        linear_cross_entropy_twin,
        _linear_cross_entropy_samples,
        _linear_cross_entropy_tripping,
    ),
    Entry(MultiMargin, multi_margin_twin, _multi_margin_samples, _multi_margin_tripping),
)
