"""What is particular to indexing: repeated indices, conventions of torch, a batch of indices."""

import pytest
import torch
from torch import Tensor
from torch.func import grad, vmap

from tests.ops.catalogue_cases import TORCH_SCRIPTS_ITS_JVP, planted
from tests.ops.test_first_order import assert_seen
from tests.random_inputs import seeded
from torchref.catalogue.entry import normal
from torchref.ops import Embedding, Gather, IndexAdd, IndexSelect, ScatterAdd

NUMBERS = torch.tensor([2, 0, 2, 2])


class Written(Gather):
    """The gradient is written where it should be added: the last one stays."""

    @staticmethod
    def backward(ctx, grad_y):
        (index,) = ctx.saved_tensors
        return grad_y.new_zeros(ctx.shape).scatter(ctx.dim, index, grad_y), None, None


class WrittenSlices(IndexSelect):
    @staticmethod
    def backward(ctx, grad_y):
        (index,) = ctx.saved_tensors
        return grad_y.new_zeros(ctx.shape).index_copy(ctx.dim, index, grad_y), None, None


class AlphaForgotten(IndexAdd):
    @staticmethod
    def backward(ctx, grad_y):
        grad_x, _, grad_source, *others = IndexAdd.backward(ctx, grad_y)
        return grad_x, None, grad_source / ctx.alpha, *others


class PaddingTrained(Embedding):
    @staticmethod
    def backward(ctx, grad_y):
        ctx.conventions[0] = None
        return Embedding.backward(ctx, grad_y)


@pytest.mark.parametrize(
    ("op", "kind", "number"),
    [
        (Written, "tripping", 0),
        (WrittenSlices, "tripping", 0),
        (AlphaForgotten, "tripping", 0),
        (PaddingTrained, "tripping", 0),
    ],
)
def test_the_mistakes_of_others_are_seen(op: type, kind: str, number: int) -> None:
    assert_seen(planted(op, kind, number))


def test_a_row_that_was_taken_twice_gets_both_gradients() -> None:
    g = normal(seeded(0), 4, 3)
    slices = torch.stack((g[1], torch.zeros(3).double(), g[0] + g[2] + g[3]))
    x = normal(seeded(1), 3, 3).requires_grad_()
    for y in (
        IndexSelect.call(x, NUMBERS, 0),
        Gather.call(x, NUMBERS.unsqueeze(1).expand(4, 3), 0),
        Embedding.call(x, NUMBERS, None, False),
    ):
        torch.testing.assert_close(torch.autograd.grad(y, x, g)[0], slices)


def test_the_conventions_of_an_embedding() -> None:
    g, weight = normal(seeded(0), 4, 3), normal(seeded(1), 3, 3).requires_grad_()
    none = torch.zeros(3, dtype=torch.float64)
    for padding_idx, by_frequency, expected in (
        (2, False, (g[1], none, none)),
        (None, True, (g[1], none, (g[0] + g[2] + g[3]) / 3)),
        (0, True, (none, none, (g[0] + g[2] + g[3]) / 3)),
    ):
        y = Embedding.call(weight, NUMBERS, padding_idx, by_frequency)
        assert torch.equal(y, weight[NUMBERS])
        torch.testing.assert_close(torch.autograd.grad(y, weight, g)[0], torch.stack(expected))


def test_an_infinite_gradient_of_padding_leaves_no_nan() -> None:
    weight = normal(seeded(1), 3, 2).requires_grad_()
    g = torch.full((4, 2), torch.inf, dtype=torch.float64)
    y = Embedding.call(weight, NUMBERS, 2, False)
    (grad_weight,) = torch.autograd.grad(y, weight, g)
    assert grad_weight.tolist() == [[torch.inf] * 2, [0.0] * 2, [0.0] * 2]


@pytest.mark.filterwarnings(TORCH_SCRIPTS_ITS_JVP)
def test_forward_mode_keeps_to_the_conventions_that_torchs_drops() -> None:
    weight, dweight = normal(seeded(0), 3, 2), normal(seeded(1), 3, 2)

    def taken(weight: Tensor) -> Tensor:
        return Embedding.call(weight, NUMBERS, 0, True)

    _, dy = torch.func.jvp(taken, (weight,), (dweight,))
    expected = torch.stack((dweight[2] / 3, 0 * dweight[0], dweight[2] / 3, dweight[2] / 3))
    torch.testing.assert_close(dy, expected)


BATCH = torch.tensor([[2, 0, 2, 2], [1, 1, 0, 2]])
CALLS = {
    "Gather": lambda x, index: Gather.call(x, index, 0),
    "ScatterAdd": lambda x, index: ScatterAdd.call(x, index, x.repeat(2), 0),
    "IndexSelect": lambda x, index: IndexSelect.call(x, index, 0),
    "IndexAdd": lambda x, index: IndexAdd.call(x, index, x.repeat(2)[:4], 0, 3),
    "Embedding": lambda x, index: Embedding.call(x.unsqueeze(1), index, 1, True),
}


@pytest.mark.parametrize("name", CALLS)
def test_vmap_over_indices_is_a_loop(name: str) -> None:
    call, x = CALLS[name], normal(seeded(0), 3)

    def loss(x: Tensor, index: Tensor) -> Tensor:
        y = call(x, index)
        return (y * torch.arange(1, y.numel() + 1).reshape(y.shape)).sum()

    each = torch.stack([grad(loss)(x, index) for index in BATCH])
    torch.testing.assert_close(vmap(grad(loss), in_dims=(None, 0))(x, BATCH), each)
    total = grad(lambda x: vmap(loss, in_dims=(None, 0))(x, BATCH).sum())
    torch.testing.assert_close(total(x), each.sum(0))
