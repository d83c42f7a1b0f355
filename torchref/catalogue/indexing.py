"""What is taken by an index, and what is added there; and what a mask leaves out."""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from torchref.catalogue.entry import Entry, Inputs, normal
from torchref.ops import Dropout, Embedding, Gather, IndexAdd, IndexSelect, ScatterAdd


def below(generator: Generator, size: int, *shape: int) -> Tensor:
    """Numbers from 0 to size − 1."""
    return torch.randint(size, shape, generator=generator)


ALL_THE_SAME = torch.tensor([2, 2, 2, 2])


def gather_twin(x: Tensor, index: Tensor, dim: int) -> Tensor:
    return torch.gather(x, dim, index)


def _gather_samples(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 4, 3), below(g, 4, 5, 3), 0),
        (normal(g, 5, 2, 4), below(g, 4, 3, 2, 7), -1),
        (normal(g, 6), below(g, 6, 4), 0),
    )


def _gather_tripping(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 4, 3), ALL_THE_SAME.unsqueeze(1).expand(4, 3), 0),
        (normal(g, 4, 3), below(g, 4, 0, 3), 0),
        (normal(g, 0, 3), below(g, 3, 0, 5), 1),
        (normal(g, 1, 1), below(g, 1, 1, 1), 1),
        (normal(g, 3, 4).T, below(g, 4, 3, 5).T, 0),
        (normal(g, 1).expand(4), below(g, 4, 3), 0),
        (1e150 * normal(g, 4), torch.tensor([1, 3, 1, 0, 1]), 0),
    )


def scatter_add_twin(x: Tensor, index: Tensor, src: Tensor, dim: int) -> Tensor:
    """With src cut to the shape of index: where it is larger, torch's own gives no gradient."""
    return x.scatter_add(dim, index, src[tuple(slice(size) for size in index.shape)])


def _scatter_add_samples(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 4, 3), below(g, 4, 5, 3), normal(g, 5, 3), 0),
        (normal(g, 5, 2, 4), below(g, 4, 3, 2, 7), normal(g, 3, 2, 7), -1),
        (normal(g, 4, 3), below(g, 4, 5, 2), normal(g, 7, 3), 0),  # not all of src goes anywhere
    )


def _scatter_add_tripping(g: Generator) -> tuple[Inputs, ...]:
    all_the_same = ALL_THE_SAME.unsqueeze(1).expand(4, 3)
    return (
        (normal(g, 4, 3), all_the_same, normal(g, 4, 3), 0),
        (normal(g, 4, 3), below(g, 4, 0, 3), normal(g, 0, 3), 0),
        (normal(g, 1, 1), below(g, 1, 1, 1), normal(g, 1, 1), 1),
        (normal(g, 3, 4).T, below(g, 4, 3, 5).T, normal(g, 3, 5).T, 0),
        (normal(g, 1).expand(4), below(g, 4, 3), normal(g, 1).expand(3), 0),
        (1e150 * normal(g, 3), torch.tensor([1, 1, 1, 0]), 1e150 * normal(g, 4), 0),
    )


def index_select_twin(x: Tensor, index: Tensor, dim: int) -> Tensor:
    return torch.index_select(x, dim, index)


def _index_select_samples(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 4, 3), below(g, 4, 5), 0),
        (normal(g, 5, 2, 4), below(g, 4, 7), -1),
        (normal(g, 6), below(g, 6, 4), 0),
    )


def _index_select_tripping(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 4, 3), ALL_THE_SAME, 0),
        (normal(g, 4, 3), below(g, 4, 0), 0),
        (normal(g, 0, 3), below(g, 3, 5), 1),
        (normal(g, 1, 1), below(g, 1, 1), 1),
        (normal(g, 3, 4).T, below(g, 4, 6)[::2], 0),
        (normal(g, 1, 3).expand(4, 3), below(g, 4, 5), 0),
    )


def index_add_twin(x: Tensor, index: Tensor, source: Tensor, dim: int, alpha: float) -> Tensor:
    return torch.index_add(x, dim, index, source, alpha=alpha)


def _index_add_samples(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 4, 3), below(g, 4, 5), normal(g, 5, 3), 0, 1),
        (normal(g, 5, 2, 4), below(g, 4, 7), normal(g, 5, 2, 7), -1, -0.5),
        (normal(g, 6), below(g, 6, 4), normal(g, 4), 0, 2.0),
    )


def _index_add_tripping(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 4, 3), ALL_THE_SAME, normal(g, 4, 3), 0, 3.0),
        (normal(g, 4, 3), below(g, 4, 0), normal(g, 0, 3), 0, 1),
        (normal(g, 1, 1), below(g, 1, 1), normal(g, 1, 1), 1, 1),
        (normal(g, 3, 4).T, below(g, 4, 6)[::2], normal(g, 3, 3).T, 0, 1),
        (normal(g, 1, 3).expand(4, 3), below(g, 4, 5), normal(g, 1, 3).expand(5, 3), 0, 1),
        (normal(g, 4, 3), below(g, 4, 5), normal(g, 5, 3), 0, 0.0),
    )


def embedding_twin(
    weight: Tensor, index: Tensor, padding_idx: int | None, scale_grad_by_freq: bool
) -> Tensor:
    return F.embedding(index, weight, padding_idx, scale_grad_by_freq=scale_grad_by_freq)


def _embedding_samples(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 5, 3), below(g, 5, 4), None, False),
        (normal(g, 4, 3), below(g, 4, 5, 2), None, False),
        (normal(g, 5, 2), below(g, 3, 6), 4, False),
    )


def _embedding_tripping(g: Generator) -> tuple[Inputs, ...]:
    padded = torch.tensor([[1, 0, 1], [2, 1, 1]])
    return (
        (normal(g, 4, 3), padded, 1, False),
        (normal(g, 4, 3), padded, None, True),
        (normal(g, 4, 3), padded, 1, True),
        (normal(g, 4, 3), ALL_THE_SAME, None, False),
        (normal(g, 4, 3), torch.tensor(2), None, False),
        (normal(g, 4, 3), below(g, 4, 0, 2), None, True),
        (normal(g, 1, 1), below(g, 1, 1), 0, False),
        (normal(g, 3, 4).T, below(g, 4, 6)[::2], None, False),
        (normal(g, 1, 3).expand(4, 3), below(g, 4, 5), None, False),
    )


def dropout_twin(x: Tensor, mask: Tensor, p: float) -> Tensor:
    """Composed, because torch's own draws its mask; 1 / (1 − p) is rounded first, as there."""
    return x * (mask.to(x.dtype) / (1 - p))


def mask(generator: Generator, *shape: int) -> Tensor:
    return torch.rand(shape, generator=generator) < 0.6


def _dropout_samples(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 5, 3), mask(g, 5, 3), 0.4),
        (normal(g, 2, 3, 5), mask(g, 2, 3, 1), 0.5),
        (normal(g, 7), mask(g, 7), 0.0),
    )


def _dropout_tripping(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 4), torch.zeros(4, dtype=torch.bool), 0.5),
        (normal(g, 4), torch.ones(4, dtype=torch.bool), 0.999),
        (normal(g, 0, 3), mask(g, 0, 3), 0.5),
        (normal(g, 1, 1), mask(g, 1, 1), 0.5),
        (normal(g, 3, 5).T, mask(g, 3, 5).T, 0.3),
        (normal(g, 1).expand(4), mask(g, 4), 0.3),
    )


ENTRIES = (
    Entry(Gather, gather_twin, _gather_samples, _gather_tripping),
    Entry(ScatterAdd, scatter_add_twin, _scatter_add_samples, _scatter_add_tripping),
    Entry(IndexSelect, index_select_twin, _index_select_samples, _index_select_tripping),
    Entry(IndexAdd, index_add_twin, _index_add_samples, _index_add_tripping),
    Entry(Embedding, embedding_twin, _embedding_samples, _embedding_tripping),
    Entry(Dropout, dropout_twin, _dropout_samples, _dropout_tripping),
)
