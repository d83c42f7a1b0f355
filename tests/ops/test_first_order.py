"""Values and gradients of every op against its twin, and what its backward really returns."""

from itertools import product

import pytest
import torch
from torch import Tensor

from tests.ops.catalogue_cases import (
    DEVICES,
    SAMPLES,
    TRIPPING,
    Case,
    gradients,
    has_a_twin_in,
    normal_like,
    on_each,
    planted,
    tensors,
)
from tests.ops.closeness import assert_all_close, assert_close_in_float64
from torchref.ops import Affine, Sigmoid

SEEDS = (0, 1, 2)

# At 0 and 1 torch's gradient for the target of its log loss is infinite: see test_losses.py.
WHERE_THE_TWIN_IS_FINITE = [
    case for case in SAMPLES + TRIPPING if str(case) != "LogLoss-tripping-0"
]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("case", WHERE_THE_TWIN_IS_FINITE, ids=str)
def test_value_and_gradients_equal_the_twins(case: Case, device: str) -> None:
    for seed in SEEDS:
        inputs = case.inputs(seed, device)
        y, mine = gradients(case.entry.op.call, inputs, seed=100 + seed)
        twin_y, twins = gradients(case.entry.twin, inputs, seed=100 + seed)
        assert_close_in_float64(y, twin_y)
        assert_all_close(mine, twins)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("case", SAMPLES + TRIPPING, ids=str)
def test_backward_returns_what_is_needed_and_nothing_else(case: Case, dtype: torch.dtype) -> None:
    """Read from the node itself: autograd repairs shapes and dtypes before anyone else sees."""
    if not has_a_twin_in(dtype, case.entry.name):
        pytest.skip(f"torch factorises no matrix in {dtype}: there is no twin")
    inputs = on_each(lambda x: x.to(dtype), case.inputs())
    for needed in product((False, True), repeat=len(tensors(inputs))):
        if not any(needed):
            continue
        each = iter(needed)
        leaves = on_each(lambda x: x.detach().requires_grad_(next(each)), inputs)  # noqa: B023
        y = case.entry.op.apply(*leaves)
        returned = y.grad_fn.apply(normal_like(y, seed=1))
        returned = returned if isinstance(returned, tuple) else (returned,)
        assert len(returned) == len(leaves)
        for x, grad_x in zip(leaves, returned, strict=True):
            if isinstance(x, torch.Tensor) and x.requires_grad:
                assert (grad_x.shape, grad_x.dtype) == (x.shape, dtype)
            else:
                assert grad_x is None


@pytest.mark.parametrize("case", SAMPLES + TRIPPING, ids=str)
def test_backward_changes_nothing_that_it_was_given(case: Case) -> None:
    inputs = on_each(lambda x: x.detach().contiguous().requires_grad_(), case.inputs())
    y = case.entry.op.call(*inputs)
    cotangent = normal_like(y, seed=1)
    before = [x.detach().clone() for x in (*tensors(inputs), y, cotangent)]
    first = torch.autograd.grad(y, tensors(inputs), cotangent, retain_graph=True)
    second = torch.autograd.grad(y, tensors(inputs), cotangent)
    after = [x.detach() for x in (*tensors(inputs), y, cotangent)]
    torch.testing.assert_close(after, before, rtol=0, atol=0)
    torch.testing.assert_close(second, first, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("case", SAMPLES, ids=str)
def test_nothing_but_inputs_and_outputs_is_saved(case: Case) -> None:
    """What else were saved, autograd would not differentiate in a second backward."""
    inputs = on_each(lambda x: x.detach().requires_grad_(), case.inputs())
    y = case.entry.op.call(*inputs)
    kept = {x.data_ptr() for x in y.grad_fn.saved_tensors if x is not None}
    assert kept <= {x.data_ptr() for x in (*inputs, y) if isinstance(x, Tensor)}


class MissingFactor(Sigmoid):
    @staticmethod
    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        return grad_y * (1 - y)


class UnreducedBias(Affine):
    @staticmethod
    def backward(ctx, grad_y):
        return *Affine.backward(ctx, grad_y)[:2], grad_y


class NeverSkips(Affine):
    @staticmethod
    def backward(ctx, grad_y):
        x, weight = ctx.saved_tensors
        return grad_y @ weight, grad_y.mT @ x, grad_y.sum(0)


class SavesACopy(Sigmoid):
    @staticmethod
    def setup_context(ctx, inputs, output):
        Sigmoid.setup_context(ctx, inputs, output.clone())


def assert_seen(case: Case) -> None:
    """The mistake of a planted op, by its value or its gradients."""
    with pytest.raises(AssertionError, match="not close"):
        test_value_and_gradients_equal_the_twins(case, "cpu")


def test_what_else_is_saved_is_seen() -> None:
    with pytest.raises(AssertionError):
        test_nothing_but_inputs_and_outputs_is_saved(planted(SavesACopy))


def test_a_missing_factor_is_seen() -> None:
    assert_seen(planted(MissingFactor))


@pytest.mark.parametrize("op", [UnreducedBias, NeverSkips])
def test_a_gradient_that_autograd_would_repair_or_drop_is_seen(op: type) -> None:
    test_value_and_gradients_equal_the_twins(planted(op), "cpu")
    with pytest.raises(AssertionError):
        test_backward_returns_what_is_needed_and_nothing_else(planted(op), torch.float64)
