"""What is particular to convolutions and pooling; the catalogue's tests hold for them too."""

import pytest
import torch
from torch import Tensor

from tests.ops.catalogue_cases import SAMPLES, TRIPPING, Case, gradients, normal_like, planted
from tests.ops.closeness import assert_all_close, assert_close_in_float64
from tests.ops.test_first_order import assert_seen
from tests.random_inputs import seeded
from torchref.catalogue import CATALOGUE
from torchref.catalogue.entry import normal
from torchref.ops import AvgPool, Convolution, MaxPool, TransposedConv, convolution_steps
from torchref.ops.convolution.windows import gathered, places, spread, steps

CONVOLUTIONS = [case for case in SAMPLES + TRIPPING if case.entry.op is Convolution]


def assert_steps_give_what_the_collapsed_form_gives(case: Case) -> None:
    inputs = case.inputs()
    y, collapsed = gradients(case.entry.op.call, inputs)
    gone_through = convolution_steps(*inputs, normal_like(y, seed=1))
    assert_close_in_float64(gone_through.y, y)
    stepwise = gone_through.grad_x, gone_through.grad_weight, gone_through.grad_bias
    assert_all_close(collapsed, (grad for grad in stepwise if grad is not None))


@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
def test_the_collapsed_backward_is_the_one_of_many_steps(case: Case) -> None:
    assert_steps_give_what_the_collapsed_form_gives(case)


@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
def test_each_step_is_what_autograd_finds_there(case: Case) -> None:
    inputs = case.inputs()
    x, weight, *_ = inputs
    cotangent = normal_like(case.entry.op.call(*inputs), seed=1)
    now = convolution_steps(*inputs, cotangent)
    columns, matrix = now.columns.requires_grad_(), now.matrix.clone().requires_grad_()
    products = matrix @ columns
    found = torch.autograd.grad(products, (matrix, columns), now.grad_products)
    assert_all_close((now.grad_matrix, now.grad_columns), found)
    laid_out = x.clone().requires_grad_()
    again = convolution_steps(laid_out, weight, *inputs[2:], cotangent).columns
    assert_all_close((now.grad_x,), torch.autograd.grad(again, laid_out, now.grad_columns))
    assert torch.equal(now.grad_weight.flatten(), now.grad_matrix.flatten())


class Convolved(Convolution):
    """∂L/∂x as a convolution where the transposed one is due: right for a weight of size one."""

    @staticmethod
    def backward(ctx, grad_y):
        _, weight = ctx.saved_tensors
        padding = tuple(size - 1 for size in weight.shape[2:])
        grad_x = torch.conv1d(grad_y, weight.transpose(0, 1), padding=padding)
        return grad_x, *Convolution.backward(ctx, grad_y)[1:]


class LeftOverForgotten(Convolution):
    """The places that no step reaches are taken to be none: the gradient is too short."""

    @staticmethod
    def backward(ctx, grad_y):
        x, weight = ctx.saved_tensors
        none = (0,) * len(ctx.options[0])
        grad_x = TransposedConv.call(grad_y, weight, None, *ctx.options, none)
        longer = [0, x.shape[-1] - grad_x.shape[-1]]
        grad_x = torch.nn.functional.pad(grad_x, longer[::-1])  # at the wrong end
        return grad_x, *Convolution.backward(ctx, grad_y)[1:]


class MeanOfExamples(Convolution):
    @staticmethod
    def backward(ctx, grad_y):
        grad_x, grad_weight, *others = Convolution.backward(ctx, grad_y)
        return grad_x, grad_weight / grad_y.shape[0], *others


class Flipped(TransposedConv):
    """The gradient of a weight that is read from the end, as in a convolution of the books."""

    @staticmethod
    def backward(ctx, grad_y):
        grad_x, grad_weight, *others = TransposedConv.backward(ctx, grad_y)
        return grad_x, grad_weight.flip(-1), *others


class PaddingCounted(AvgPool):
    """The divisor of the forward leaves padding out, that of the backward does not."""

    @staticmethod
    def backward(ctx, grad_y):
        ctx.options[4] = True
        return AvgPool.backward(ctx, grad_y)


class ToAllThatTie(MaxPool):
    """A gradient for each of the largest: more comes out than went in."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        (kernel,), (stride,), (padding,), (dilation,), _ = ctx.options
        length = x.shape[-1]
        start = steps(grad_y.shape[-1], stride, padding, x.device)
        windows = places(start, length, kernel, dilation, length)
        dim = x.dim() - 1
        seen = gathered(x, dim, windows)
        is_largest = seen == seen.amax(-1, keepdim=True)
        grad_x = spread(grad_y.unsqueeze(-1) * is_largest, dim, windows, length)
        return grad_x, *(None for _ in ctx.options)


@pytest.mark.parametrize(
    ("op", "kind", "number"),
    [
        (Convolved, "samples", 0),
        (LeftOverForgotten, "tripping", 4),
        (MeanOfExamples, "samples", 0),
        (Flipped, "samples", 0),
        (PaddingCounted, "samples", 1),
        (ToAllThatTie, "tripping", 0),
    ],
)
def test_the_mistakes_of_others_are_seen(op: type, kind: str, number: int) -> None:
    case = planted(op, kind, number)
    assert_seen(case)
    if issubclass(op, Convolution):
        with pytest.raises(AssertionError, match="not close"):
            assert_steps_give_what_the_collapsed_form_gives(case)


def dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum()


def test_each_is_the_transpose_of_the_other() -> None:
    """⟨g, C(x, w)⟩ = ⟨T(g, w), x⟩, with the output padding that makes the sizes meet."""
    x, weight, options = normal(seeded(0), 2, 4, 9), normal(seeded(1), 6, 2, 3), ((3,), (1,), (2,))
    y = Convolution.call(x, weight, None, *options, 2)
    g = normal_like(y, seed=2)
    back = TransposedConv.call(g, weight, None, *options, 2, (0,))
    torch.testing.assert_close(dot(g, y), dot(back, x[..., : back.shape[-1]]))


def test_what_no_step_reaches_has_no_gradient() -> None:
    x = normal(seeded(0), 2, 1, 9).requires_grad_()
    y = Convolution.call(x, normal(seeded(1), 3, 1, 2), None, (4,), (0,), (3,), 1)
    (grad_x,) = torch.autograd.grad(y, x, torch.ones_like(y))
    assert (grad_x == 0).all(dim=(0, 1)).tolist() == [
        *(False, True, True, False),
        *(False, True, True, False, True),
    ]


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_a_weight_of_size_one_is_a_matrix_at_every_place(rank: int) -> None:
    x, weight = normal(seeded(0), 2, 4, *(5, 3, 6)[:rank]), normal(seeded(1), 7, 4)
    one = (1,) * rank
    y = Convolution.call(x, weight.reshape(7, 4, *one), None, one, (0,) * rank, one, 1)
    expected = (x.movedim(1, -1) @ weight.T).movedim(-1, 1)
    torch.testing.assert_close(y, expected)


def test_of_several_largest_torchs_choice_gets_the_gradient() -> None:
    x = torch.tensor([[2.0, 2.0, 2.0, 2.0]], dtype=torch.float64, requires_grad=True)
    y = MaxPool.call(x, (3,), (1,), (0,), (1,), False)
    (grad_x,) = torch.autograd.grad(y.sum(), x)
    assert grad_x.tolist() == [[1.0, 1.0, 0.0, 0.0]]


def test_windows_take_and_spread_by_the_same_places() -> None:
    x, windows = normal(seeded(0), 2, 5, 3), places(torch.tensor([-1, 1, 3]), 5, 3, 1, 5)
    assert windows.tolist() == [[5, 0, 1], [1, 2, 3], [3, 4, 5]]
    taken = gathered(x, 1, windows)
    g = normal_like(taken, seed=1)
    torch.testing.assert_close(dot(g, taken), dot(spread(g, 1, windows, 5), x))
    assert taken[:, 0, 0].count_nonzero() == 0


@pytest.mark.parametrize(
    ("name", "saved"), [("Convolution", 2), ("TransposedConv", 2), ("AvgPool", 0), ("MaxPool", 1)]
)
def test_nothing_but_inputs_is_saved(name: str, saved: int) -> None:
    x, *others = CATALOGUE[name].samples(seeded(0))[0]
    y = CATALOGUE[name].op.call(x.requires_grad_(), *others)
    kept = {tensor.data_ptr() for tensor in y.grad_fn.saved_tensors}
    inputs = [x, *(each for each in others if isinstance(each, Tensor))][:saved]
    assert kept == {each.data_ptr() for each in inputs}
