"""What is particular to the normalisations; the catalogue's tests hold for them too."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.ops.catalogue_cases import SAMPLES, TRIPPING, Case, gradients, normal_like, planted
from tests.ops.closeness import assert_close_in_float64
from tests.ops.test_first_order import assert_seen
from tests.random_inputs import seeded
from torchref.catalogue import CATALOGUE
from torchref.catalogue.entry import normal
from torchref.ops import (
    FixedStandardisation,
    RMSNorm,
    Standardisation,
    UnitNorm,
    rms_norm_steps,
    standardisation_steps,
)
from torchref.ops.normalisation.rms_norm import of_unit_square
from torchref.ops.normalisation.scale_and_shift import scaled
from torchref.ops.normalisation.standardisation import mean, standardised

Steps = Callable[..., Any]
STEPS: dict[type, Steps] = {Standardisation: standardisation_steps, RMSNorm: rms_norm_steps}
WITH_STEPS = [case for case in SAMPLES + TRIPPING if case.entry.op in STEPS]
OF_X = "grad_x", "grad_weight", "grad_bias"


def assert_steps_give_what_the_collapsed_form_gives(case: Case, steps: Steps) -> None:
    inputs = case.inputs()
    y, collapsed = gradients(case.entry.op.call, inputs)
    gone_through = steps(*inputs, normal_like(y, seed=1))
    assert_close_in_float64(gone_through.y, y)
    stepwise = [getattr(gone_through, name, None) for name in OF_X]
    for mine, its in zip(collapsed, (grad for grad in stepwise if grad is not None), strict=True):
        largest = max([1.0, *(grad.abs().max().item() for grad in collapsed if grad.numel())])
        torch.testing.assert_close(mine, its, rtol=0, atol=1e-11 * largest)


@pytest.mark.parametrize("case", WITH_STEPS, ids=str)
def test_the_collapsed_backward_is_the_one_of_many_steps(case: Case) -> None:
    assert_steps_give_what_the_collapsed_form_gives(case, STEPS[case.entry.op])


@pytest.mark.parametrize("case", [case for case in SAMPLES if case.entry.op in STEPS], ids=str)
def test_each_step_is_what_autograd_finds_there(case: Case) -> None:
    """Each intermediate is moved by itself, and the rest of the forward run from there."""
    inputs = case.inputs()
    x, *parameters, dims, eps = inputs
    cotangent = normal_like(x, seed=1)
    gone_through = STEPS[case.entry.op](*inputs, cotangent)
    weight, bias = (*parameters, None)[:2]

    def loss(x_hat: Tensor) -> Tensor:
        y = x_hat if weight is None else x_hat * weight
        return ((y if bias is None else y + bias) * cotangent).sum()

    def root(variance: Tensor) -> Tensor:
        return (variance + eps).rsqrt()

    now = gone_through._asdict()
    if case.entry.op is RMSNorm:
        rest = {
            "normalised": loss,
            "inverse_rms": lambda r: loss(x * r),
            "mean_square": lambda square: loss(x * root(square)),
        }
    else:
        centred = now["centred"]
        rest = {
            "standardised": loss,
            "inverse_sigma": lambda r: loss(centred * r),
            "variance": lambda variance: loss(centred * root(variance)),
            "centred": lambda c: loss(c * root(mean(c * c, dims))),
            "mean": lambda mu: loss((x - mu) * root(mean((x - mu) ** 2, dims))),
        }
    assert {f"grad_{name}" for name in rest} | set(OF_X) >= {
        name for name in now if name.startswith("grad_")
    }
    for name, of_it in rest.items():
        expected = torch.func.grad(of_it)(now[name])
        torch.testing.assert_close(now[f"grad_{name}"], expected, rtol=1e-11, atol=1e-11)


class MomentsHeldConstant(Standardisation):
    """g / σ alone, as where mean and variance are given."""

    @staticmethod
    def backward(ctx, grad_y):
        x, weight, _ = ctx.saved_tensors
        _, inverse_sigma = standardised(x, ctx.dims, ctx.eps)
        return inverse_sigma * scaled(grad_y, weight), *Standardisation.backward(ctx, grad_y)[1:]


class WeightForgotten(Standardisation):
    """The cotangent is taken for that of x̂: right for weights of one."""

    @staticmethod
    def backward(ctx, grad_y):
        x, _, _ = ctx.saved_tensors
        x_hat, inverse_sigma = standardised(x, ctx.dims, ctx.eps)
        along = x_hat * mean(grad_y * x_hat, ctx.dims)
        grad_x = inverse_sigma * (grad_y - mean(grad_y, ctx.dims) - along)
        return grad_x, *Standardisation.backward(ctx, grad_y)[1:]


class ParametersSwapped(Standardisation):
    @staticmethod
    def backward(ctx, grad_y):
        grad_x, grad_weight, grad_bias, *others = Standardisation.backward(ctx, grad_y)
        return grad_x, grad_bias, grad_weight, *others


class MeanForgotten(Standardisation):
    """What makes layer norm of RMS norm."""

    @staticmethod
    def backward(ctx, grad_y):
        x, weight, _ = ctx.saved_tensors
        x_hat, inverse_sigma = standardised(x, ctx.dims, ctx.eps)
        g = scaled(grad_y, weight)
        grad_x = inverse_sigma * (g - x_hat * mean(g * x_hat, ctx.dims))
        return grad_x, *Standardisation.backward(ctx, grad_y)[1:]


class WeightTwice(RMSNorm):
    """The second term is multiplied by w again: right for weights of one."""

    @staticmethod
    def backward(ctx, grad_y):
        x, weight = ctx.saved_tensors
        x_hat, inverse_rms = of_unit_square(x, ctx.dims, ctx.eps)
        g = scaled(grad_y, weight)
        grad_x = inverse_rms * (g - scaled(x_hat, weight) * mean(g * x_hat, ctx.dims))
        return grad_x, *RMSNorm.backward(ctx, grad_y)[1:]


class BackwardOfTraining(FixedStandardisation):
    """In evaluation the means are subtracted all the same."""

    @staticmethod
    def backward(ctx, grad_y):
        grad_x, *others = FixedStandardisation.backward(ctx, grad_y)
        return grad_x - grad_x.mean(0, keepdim=True), *others


PUBLISHED = (  # each was found in somebody's kernel
    MomentsHeldConstant,
    WeightForgotten,
    ParametersSwapped,
    MeanForgotten,
    WeightTwice,
    BackwardOfTraining,
)


@pytest.mark.parametrize("op", PUBLISHED)
def test_the_mistakes_of_others_are_seen(op: type) -> None:
    assert_seen(planted(op))


def test_a_term_that_the_collapsed_form_has_lost_is_seen() -> None:
    with pytest.raises(AssertionError, match="not close"):
        assert_steps_give_what_the_collapsed_form_gives(
            planted(MeanForgotten), standardisation_steps
        )


NORMALISATIONS = ("Standardisation", "FixedStandardisation", "RMSNorm", "UnitNorm")


@pytest.mark.parametrize("name", ["Standardisation", "RMSNorm", "UnitNorm"])
def test_the_third_order_is_that_of_the_composed_form(name: str) -> None:
    """torch's own layer norm keeps the mean as an intermediate and is wrong here."""
    entry = CATALOGUE[name]
    inputs = entry.samples(seeded(0))[0]

    def third(function: Callable[..., Tensor]) -> Tensor:
        x = inputs[0].clone().requires_grad_()
        along = normal_like(x, seed=2)
        value = (function(x, *inputs[1:]) * normal_like(x, seed=1)).sum()
        for _ in range(3):
            (slope,) = torch.autograd.grad(value, x, create_graph=True)
            value = (slope * along).sum()
        return slope.detach()

    mine, twins = third(entry.op.call), third(entry.twin)
    torch.testing.assert_close(mine, twins, rtol=1e-10, atol=1e-10)
    assert twins.abs().max() > 1e-3


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0, 3.0, torch.inf])
def test_second_order_where_a_vector_has_zeros_or_is_zero(p: float) -> None:
    """Shorter than eps, y = x / eps is a straight line: no slope of the norm comes in as NaN."""
    x = torch.tensor([[0.0, 0.0, 0.0], [3.0, 0.0, -4.0]], dtype=torch.float64, requires_grad=True)
    y = UnitNorm.call(x, p, (-1,), 0.5)
    (first,) = torch.autograd.grad(y, x, normal_like(y, seed=1), create_graph=True)
    (second,) = torch.autograd.grad(first, x, normal_like(y, seed=2), materialize_grads=True)
    assert first.isfinite().all()
    assert second[0].tolist() == [0, 0, 0]
    assert second[1].isfinite().all() or p == 1.5  # |x|^1.5 has no second derivative at 0


@pytest.mark.parametrize("eps", [0.0, 1e-5])
def test_a_group_of_one_has_no_slope_but_that_of_eps(eps: float) -> None:
    x = normal(seeded(0), 5, 1).requires_grad_()
    (grad_x,) = torch.autograd.grad(UnitNorm.call(x, 2.0, (-1,), eps).sum(), x)
    assert grad_x.count_nonzero() == 0
    if eps:
        y = Standardisation.call(x, None, None, (-1,), eps)
        (grad_x,) = torch.autograd.grad(y.sum(), x)
        assert y.count_nonzero() == grad_x.count_nonzero() == 0


INVARIANT = {
    "Standardisation": (lambda x: Standardisation.call(x, None, None, (-1,), 0.0)),
    "RMSNorm": lambda x: RMSNorm.call(x, None, (-1,), 0.0),
    **{
        f"UnitNorm {p}": partial(lambda x, p: UnitNorm.call(x, p, (-1,), 0.0), p=p)
        for p in (1.0, 1.5, 2.0, 3.0, torch.inf)
    },
}


@pytest.mark.parametrize("name", INVARIANT)
def test_a_gradient_has_no_part_along_x_where_scale_does_not_matter(name: str) -> None:
    x = normal(seeded(0), 5, 4).requires_grad_()
    y = INVARIANT[name](x)
    (grad_x,) = torch.autograd.grad(y, x, normal_like(y, seed=1))
    assert (grad_x * x).sum(-1).abs().max() < 1e-14
    torch.testing.assert_close(INVARIANT[name](7 * x), y)
    if name == "Standardisation":
        assert grad_x.sum(-1).abs().max() < 1e-14
