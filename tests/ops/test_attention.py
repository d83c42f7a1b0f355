"""What is particular to attention and rotary embedding; the catalogue's tests hold for them too."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tests.ops.catalogue_cases import SAMPLES, TRIPPING, Case, gradients, normal_like, planted
from tests.ops.closeness import assert_all_close, assert_close_in_float64
from tests.ops.test_first_order import assert_seen
from tests.random_inputs import seeded
from torchref.catalogue import CATALOGUE
from torchref.catalogue.entry import normal
from torchref.ops import Attention, BlockwiseAttention, Rotary, attention_steps
from torchref.ops.attention.blocks import cuts, part, seen
from torchref.ops.attention.counted_dropout import dropout_factors

OF_ALL = [case for case in SAMPLES + TRIPPING if case.entry.op is Attention]
WITH_KEYS = [case for case in OF_ALL if case.inputs()[1].shape[-2]]


@pytest.mark.parametrize("block_size", [1, 2, 100])
@pytest.mark.parametrize("case", OF_ALL, ids=str)
def test_both_forms_are_one(case: Case, block_size: int) -> None:
    def in_blocks(*inputs: object) -> Tensor:
        return BlockwiseAttention.call(*inputs, block_size)[..., :-2]

    y, grads = gradients(Attention.call, case.inputs())
    y_in_blocks, grads_in_blocks = gradients(in_blocks, case.inputs())
    assert_close_in_float64(y_in_blocks, y)
    assert_all_close(grads_in_blocks, grads, term=1.0)


@pytest.mark.parametrize("case", WITH_KEYS, ids=str)
def test_the_collapsed_backward_is_the_one_of_many_steps(case: Case) -> None:
    assert_steps_give_what_the_collapsed_form_gives(case)


def assert_steps_give_what_the_collapsed_form_gives(case: Case) -> None:
    inputs = case.inputs()
    y, collapsed = gradients(case.entry.op.call, inputs)
    steps = attention_steps(*inputs, normal_like(y, seed=1))
    assert_close_in_float64(steps.y, y)
    stepwise = steps.grad_query, steps.grad_key, steps.grad_value, steps.grad_mask
    assert_all_close(collapsed, (grad for grad in stepwise if grad is not None), term=1.0)


@pytest.mark.parametrize("case", WITH_KEYS, ids=str)
def test_the_steps_have_the_logsumexp_of_the_blocks(case: Case) -> None:
    inputs = case.inputs()
    y = BlockwiseAttention.call(*inputs, 2)
    logsumexp = attention_steps(*inputs, torch.zeros_like(y[..., :-2])).logsumexp
    assert_close_in_float64(y[..., -2:-1], logsumexp.expand(*y.shape[:-1], 1))


@pytest.mark.parametrize("case", [case for case in SAMPLES if case.entry.op is Attention], ids=str)
def test_each_step_is_what_autograd_finds_there(case: Case) -> None:
    """Each intermediate is moved by itself, and the rest of the forward run from there."""
    _, _, value, mask, seed, scale, is_causal, dropout_p = case.inputs()
    y = case.entry.op.call(*case.inputs())
    now = attention_steps(*case.inputs(), normal_like(y, seed=1))
    factors = dropout_factors(now.weights, seed, dropout_p, range(3), range(5))

    def of_kept(kept: Tensor) -> Tensor:
        return (kept @ value * normal_like(y, seed=1)).sum()

    def of_weights(weights: Tensor) -> Tensor:
        return of_kept(weights if factors is None else weights * factors)

    def of_scores(scores: Tensor) -> Tensor:
        return of_weights(torch.softmax(scores, -1))

    def of_scaled(scaled: Tensor) -> Tensor:
        if mask is not None:
            added = mask.dtype != torch.bool
            scaled = scaled + mask if added else scaled.masked_fill(~mask, -torch.inf)
        hidden = torch.ones(3, 5, dtype=torch.bool).triu(1)
        return of_scores(scaled.masked_fill(hidden, -torch.inf) if is_causal else scaled)

    rest: dict[str, Callable[[Tensor], Tensor]] = {
        "kept": of_kept,
        "weights": of_weights,
        "total": lambda total: of_weights(now.raised / total),
        "raised": lambda raised: of_weights(raised / raised.sum(-1, keepdim=True)),
        "scores": of_scores,
        "scaled": of_scaled,
        "products": lambda products: of_scaled(products * scale),
    }
    of_inputs = {"query", "key", "value", "mask"}
    named = {name for name in now._fields if name.startswith("grad_")}
    assert {f"grad_{name}" for name in {*rest, *of_inputs}} == named
    for name, of_it in rest.items():
        expected = torch.func.grad(of_it)(getattr(now, name))
        torch.testing.assert_close(getattr(now, f"grad_{name}"), expected, rtol=1e-11, atol=1e-11)


class ScaleForgottenOnce(Attention):
    """Of the two products of the scores one has its scale."""

    @staticmethod
    def backward(ctx, grad_y):
        grad_query, grad_key, *others = Attention.backward(ctx, grad_y)
        return grad_query, grad_key / ctx.options[0], *others


class MaskForgotten(Attention):
    """The weights are computed anew without the mask."""

    @staticmethod
    def backward(ctx, grad_y):
        query, key, value, _, seed = ctx.saved_tensors
        grad_value = attention_steps(query, key, value, None, seed, *ctx.options, grad_y).grad_value
        grad_query, grad_key, _, *others = Attention.backward(ctx, grad_y)
        return grad_query, grad_key, grad_value, *others


class MeanOfWeightsForgotten(Attention):
    """The softmax is taken for an exponential."""

    @staticmethod
    def backward(ctx, grad_y):
        query, key, value, mask, seed = ctx.saved_tensors
        steps = attention_steps(query, key, value, mask, seed, *ctx.options, grad_y)
        grad_query = ctx.options[0] * (steps.weights * steps.grad_weights) @ key
        return grad_query, *Attention.backward(ctx, grad_y)[1:]


class LastBlockLeftOut(BlockwiseAttention):
    """As many blocks as fit, though some keys are left."""

    @staticmethod
    def backward(ctx, grad_y):
        _, grad_key, *others = BlockwiseAttention.backward(ctx, grad_y)
        whole = grad_key.shape[-2] // ctx.block_size * ctx.block_size
        grad_key = torch.cat(
            (grad_key[..., :whole, :], torch.zeros_like(grad_key[..., whole:, :])), -2
        )
        return _, grad_key, *others


class TurnedOnwards(Rotary):
    """Back by the angle, and not by its negative."""

    @staticmethod
    def backward(ctx, grad_y):
        _, cos, sin = ctx.saved_tensors
        _, *of_angles = Rotary.backward(ctx, grad_y)
        return Rotary.forward(grad_y, cos, sin, ctx.is_interleaved), *of_angles


@pytest.mark.parametrize(
    ("op", "sample"),
    [
        (ScaleForgottenOnce, 0),
        (MaskForgotten, 1),
        (MeanOfWeightsForgotten, 0),
        (LastBlockLeftOut, 1),
        (TurnedOnwards, 0),
    ],
)
def test_the_mistakes_of_others_are_seen(op: type, sample: int) -> None:
    assert_seen(planted(op, number=sample))


def test_a_term_that_the_collapsed_form_has_lost_is_seen() -> None:
    with pytest.raises(AssertionError, match="not close"):
        assert_steps_give_what_the_collapsed_form_gives(planted(MeanOfWeightsForgotten))


@pytest.mark.parametrize("hidden", [torch.finfo(torch.float32).min, -1e9, -torch.inf])
@pytest.mark.parametrize("block_size", [None, 2])
def test_a_row_whose_keys_are_all_hidden(hidden: float, block_size: int | None) -> None:
    """−∞ gives nothing; a large number leaves the keys equal, as torch's softmax does."""
    query, key, value = (normal(seeded(n), 4, 5).float() for n in range(3))
    mask = torch.zeros(4, 4)
    mask[1] = hidden

    def called(*leaves: Tensor) -> Tensor:
        if block_size is None:
            return Attention.call(*leaves, None, 0.5, False, 0.0)
        return BlockwiseAttention.call(*leaves, None, 0.5, False, 0.0, block_size)[:, :-2]

    y, grads = gradients(called, (query, key, value, mask))
    assert all(grad.isfinite().all() for grad in grads)
    expected = torch.zeros(5) if hidden == -torch.inf else value.mean(0)
    torch.testing.assert_close(y[1], expected)
    g = normal_like(y, seed=1)
    left = torch.softmax(query @ key.T / 2 + mask, -1).nan_to_num().T @ g
    torch.testing.assert_close(grads[2], left)


@pytest.mark.parametrize("name", ["Attention", "BlockwiseAttention"])
def test_a_cotangent_of_zeros_gives_zeros(name: str) -> None:
    entry = CATALOGUE[name]
    for inputs in entry.samples(seeded(0)) + entry.tripping(seeded(0)):
        leaves = [
            x.requires_grad_()
            for x in inputs
            if isinstance(x, Tensor) and x.dtype.itemsize == 8 and x.is_floating_point()
        ]
        y = entry.op.call(*inputs)
        grads = torch.autograd.grad(y, leaves, torch.zeros_like(y))
        assert all(grad.count_nonzero() == 0 for grad in grads)


def test_hidden_blocks_are_not_computed() -> None:
    blocks = cuts(7, 3)
    assert [(block.start, block.stop) for block in blocks] == [(0, 3), (3, 6), (6, 7)]
    assert [len(list(seen(rows, blocks, True))) for rows in blocks] == [1, 2, 3]
    assert [len(list(seen(rows, blocks, False))) for rows in blocks] == [3, 3, 3]


def test_the_choices_of_dropout_do_not_depend_on_the_block() -> None:
    weights = torch.ones(2, 3, 40, 50)
    factors = dropout_factors(weights, torch.tensor(5), 0.25, range(40), range(50))
    rows, columns = range(10, 25), range(7, 31)
    block = part(weights, rows)[..., : len(columns)]
    again = dropout_factors(block, torch.tensor(5), 0.25, rows, columns)
    assert torch.equal(again, factors[..., 10:25, 7:31])
    kept = factors > 0
    torch.testing.assert_close(factors[kept], torch.full_like(factors[kept], 4 / 3))
    assert abs(kept.double().mean() - 0.75) < 4 * (0.25 * 0.75 / kept.numel()) ** 0.5
    # Neighbours in each direction agree as often as independent choices would: p² + (1 − p)².
    for dim in range(4):
        same = (kept == kept.roll(1, dim)).double().mean()
        assert abs(same - 0.625) < 4 * (0.625 * 0.375 / kept.numel()) ** 0.5
    other = dropout_factors(weights, torch.tensor(6), 0.25, range(40), range(50)) > 0
    assert abs((kept == other).double().mean() - 0.625) < 0.02


class LargestTensor(TorchDispatchMode):
    """The entries of the largest tensor that is made inside the context."""

    entries = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        sizes = [x.numel() for x in tree_leaves(made) if isinstance(x, Tensor)]
        self.entries = max([self.entries, *sizes])
        return made


@pytest.mark.parametrize("is_causal", [False, True])
def test_no_tensor_of_the_blockwise_form_grows_with_the_square(is_causal: bool) -> None:
    def largest(length: int, *block_size: int) -> int:
        leaves = [normal(seeded(n), length, 4).requires_grad_() for n in range(3)]
        op = BlockwiseAttention if block_size else Attention
        with LargestTensor() as seen_inside:
            y = op.call(*leaves, None, None, 0.5, is_causal, 0.0, *block_size)
            torch.autograd.grad(y.sum(), leaves)
        return seen_inside.entries

    assert [largest(length) for length in (32, 64, 128)] == [32**2, 64**2, 128**2]
    assert [largest(length, 8) for length in (32, 64, 128)] == [32 * 6, 64 * 6, 128 * 6]


def test_a_rotation_and_its_transpose_undo_each_other() -> None:
    angle = normal(seeded(0), 5, 3)
    x = normal(seeded(1), 2, 5, 7)
    for is_interleaved in (False, True):
        there = Rotary.call(x, angle.cos(), angle.sin(), is_interleaved)
        back = Rotary.call(there, angle.cos(), -angle.sin(), is_interleaved)
        torch.testing.assert_close(back, x, rtol=1e-14, atol=1e-14)
        torch.testing.assert_close(there.norm(dim=-1), x.norm(dim=-1), rtol=1e-14, atol=1e-14)
