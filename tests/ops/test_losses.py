"""Losses where they have conventions: in their divisors, at kinks, and of vectors of zeros."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.ops.catalogue_cases import SAMPLES, TRIPPING, Case, gradients, normal_like, planted
from tests.ops.test_first_order import assert_seen
from torchref.catalogue.losses import hinge_embedding_twin
from torchref.ops import (
    REDUCTIONS,
    AbsoluteError,
    CosineEmbedding,
    HingeEmbedding,
    HuberError,
    KLDivergence,
    MultiMargin,
    Reduction,
    SmoothAbsoluteError,
    cosine_embedding_steps,
)

SIX = (1.0, 2.0, 3.0, 4.0, 5.0, 9.0)
DIVISORS = {"sum": 1, "mean": 6, "half_sum": 2, "half_mean": 12}


def test_the_conventions_are_these() -> None:
    assert set(REDUCTIONS) == {"none", *DIVISORS}


@pytest.mark.parametrize(("reduction", "divisor"), DIVISORS.items())
def test_value_and_gradient_are_divided_alike(reduction: str, divisor: int) -> None:
    x = torch.tensor(SIX, dtype=torch.float64).reshape(2, 3).requires_grad_()
    y = Reduction.call(x, None, reduction)
    (grad_x,) = torch.autograd.grad(y, x)
    assert y.item() == 24 / divisor
    assert torch.equal(grad_x, torch.full_like(x, 1 / divisor))


def test_without_a_weight_nothing_but_the_shape_is_kept() -> None:
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(saved.append, lambda x: x):
        Reduction.call(torch.ones(6, requires_grad=True), None, "mean")
    assert saved == []


def test_a_result_of_none_is_not_its_input() -> None:
    x = torch.ones(3, requires_grad=True)
    y = Reduction.call(x, None, "none")
    assert y.data_ptr() != x.data_ptr()


@pytest.mark.parametrize("reduction", ["mean", "half_mean"])
def test_the_mean_of_nothing_is_nan_as_torchs(reduction: str) -> None:
    x = torch.empty(0, 3, requires_grad=True)
    y = Reduction.call(x, None, reduction)
    assert y.isnan()
    assert torch.autograd.grad(y, x)[0].shape == (0, 3)


BENT: dict[str, tuple[Callable[..., Tensor], Callable[..., Tensor]]] = {
    "absolute": (AbsoluteError.call, lambda x, t: F.l1_loss(x, t, reduction="none")),
    "huber": (
        lambda x, t: HuberError.call(x, t, 0.5),
        lambda x, t: F.huber_loss(x, t, reduction="none", delta=0.5),
    ),
    "smooth": (
        lambda x, t: SmoothAbsoluteError.call(x, t, 0.5),
        lambda x, t: F.smooth_l1_loss(x, t, reduction="none", beta=0.5),
    ),
}


@pytest.mark.parametrize("name", BENT)
def test_where_the_pieces_meet_both_derivatives_are_torchs(name: str) -> None:
    results = []
    for function in BENT[name]:
        x = torch.tensor([-0.5, -0.0, 0.0, 0.5, 0.25, 3.0], dtype=torch.float64)
        x.requires_grad_()
        y = function(x, torch.zeros_like(x))
        (first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        second = torch.zeros_like(x)
        if first.requires_grad:
            (second,) = torch.autograd.grad(first.sum(), x, materialize_grads=True)
        results.append((y.detach(), first.detach(), second + 0.0))
    torch.testing.assert_close(*results, rtol=0, atol=0)


def test_smooth_and_huber_differ_by_their_number() -> None:
    x, target = torch.linspace(-3, 3, 13).double(), torch.zeros(13).double()
    smooth, huber = (op.call(x, target, 0.5) for op in (SmoothAbsoluteError, HuberError))
    torch.testing.assert_close(0.5 * smooth, huber, rtol=1e-15, atol=0)


def test_what_is_never_meant_costs_nothing() -> None:
    """0 · ln 0 is 0, also where x is −∞; torch's answers are NaN."""
    x = torch.tensor([0.0, -torch.inf, -1.0], dtype=torch.float64, requires_grad=True)
    zero = torch.zeros(3, dtype=torch.float64)
    for target, is_logarithm in ((zero, False), (zero.log(), True)):
        y = KLDivergence.call(x, target, is_logarithm)
        (grad_x,) = torch.autograd.grad(y.sum(), x)
        assert y.tolist() == [0, 0, 0]
        assert grad_x.tolist() == [0, 0, 0]
    zero.requires_grad_()
    (grad_target,) = torch.autograd.grad(KLDivergence.call(x, zero, False).sum(), zero)
    assert grad_target[[0, 2]].tolist() == [-torch.inf, -torch.inf]


@pytest.mark.parametrize("margin", [0.0, 1.0])
@pytest.mark.parametrize("label", [1, -1, 0, 3])
def test_at_the_kink_and_for_any_label_a_hinge_is_torchs(label: int, margin: float) -> None:
    results = []
    for function in (HingeEmbedding.call, hinge_embedding_twin):
        x = torch.tensor([-1.0, 0.0, 1.0, 2.0], dtype=torch.float64, requires_grad=True)
        y = function(x, torch.full((4,), label), margin)
        results.append((y.detach(), torch.autograd.grad(y.sum(), x)[0]))
    torch.testing.assert_close(*results, rtol=0, atol=0)


@pytest.mark.parametrize("p", [1, 2])
def test_at_the_kink_margins_are_torchs(p: int) -> None:
    results = []
    for function in (
        lambda x, t: MultiMargin.call(x, t, None, p, 1.0),
        lambda x, t: F.multi_margin_loss(x, t, p=p, reduction="none"),
    ):
        x = torch.tensor([[1.0, 2.0, 0.0], [0.0, 1.0, 1.0]], dtype=torch.float64)
        x.requires_grad_()
        y = function(x, torch.tensor([1, 0]))
        results.append((y.detach(), torch.autograd.grad(y.sum(), x)[0]))
    torch.testing.assert_close(*results, rtol=1e-15, atol=0)


def test_a_cosine_has_no_slope_along_the_vectors_and_that_of_angles_across() -> None:
    angle = torch.linspace(0.1, 3.0, 9, dtype=torch.float64, requires_grad=True)
    x = 5 * torch.stack((angle.cos(), angle.sin()), -1)
    other = torch.tensor([2.0, 0.0], dtype=torch.float64).expand(9, 2)
    y = CosineEmbedding.call(x, other, torch.ones(9), 0.0)
    torch.testing.assert_close(y, 1 - angle.cos(), rtol=1e-11, atol=1e-12)
    grad_x, slope = torch.autograd.grad(y.sum(), (x, angle))
    torch.testing.assert_close(slope, angle.sin(), rtol=1e-11, atol=1e-12)
    assert (grad_x * x).sum(-1).abs().max() < 1e-12


COSINES = [case for case in SAMPLES + TRIPPING if case.entry.op is CosineEmbedding]


@pytest.mark.parametrize("case", COSINES, ids=str)
def test_the_collapsed_backward_of_a_cosine_is_the_one_of_many_steps(case: Case) -> None:
    inputs = case.inputs()
    y, collapsed = gradients(case.entry.op.call, inputs)
    steps = cosine_embedding_steps(*inputs, normal_like(y, seed=1))
    torch.testing.assert_close(y, steps.y, rtol=0, atol=1e-14)
    for mine, its in zip(collapsed, (steps.grad_x, steps.grad_other), strict=True):
        largest = max([1.0, *(grad.abs().max().item() for grad in collapsed if grad.numel())])
        torch.testing.assert_close(mine, its, rtol=0, atol=1e-13 * largest)


def test_each_step_of_a_cosine_is_what_autograd_finds_there() -> None:
    """Each intermediate is moved by itself, and the rest of the forward run from there."""
    x, other, target, margin = COSINES[0].inputs()
    cotangent = normal_like(target.double(), seed=1)
    now = cosine_embedding_steps(x, other, target, margin, cotangent)

    def of_cosine(cosine: Tensor) -> Tensor:
        apart = torch.where(target == -1, (cosine.squeeze(-1) - margin).clamp_min(0), 0)
        return (torch.where(target == 1, 1 - cosine.squeeze(-1), apart) * cotangent).sum()

    rest = {
        "cosine": of_cosine,
        "product": lambda product: of_cosine(product / (now.rho * now.other_rho)),
        "rho": lambda rho: of_cosine(now.product / (rho * now.other_rho)),
        "other_rho": lambda rho: of_cosine(now.product / (now.rho * rho)),
        "squares": lambda squares: of_cosine(now.product / (squares.sqrt() * now.other_rho)),
        "other_squares": lambda squares: of_cosine(now.product / (now.rho * squares.sqrt())),
    }
    for name, of_it in rest.items():
        expected = torch.func.grad(of_it)(getattr(now, name))
        mine = getattr(now, f"grad_{name}")
        torch.testing.assert_close(mine, expected, rtol=1e-12, atol=1e-13)


def test_a_vector_of_zeros_has_torchs_slope() -> None:
    for label in (1.0, -1.0, 0.0):
        results = []
        for function in (
            lambda x, other, t: CosineEmbedding.call(x, other, t, 0.0),
            lambda x, other, t: F.cosine_embedding_loss(x, other, t, reduction="none"),
        ):
            x = torch.zeros(2, 3, dtype=torch.float64, requires_grad=True)
            other = torch.tensor([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]], dtype=torch.float64)
            y = function(x, other, torch.full((2,), label))
            results.append((y.detach(), torch.autograd.grad(y.sum(), x)[0]))
        torch.testing.assert_close(*results, rtol=1e-12, atol=0)


class ForgottenSignError(AbsoluteError):
    """∂y/∂t with the sign of ∂y/∂x."""

    @staticmethod
    def backward(ctx, grad_y):
        grad_x, grad_target = AbsoluteError.backward(ctx, grad_y)
        return grad_x, -grad_target


class ForgottenDeltaError(HuberError):
    """±1 outside: right for δ = 1."""

    @staticmethod
    def backward(ctx, grad_y):
        x, target = ctx.saved_tensors
        grad_x = grad_y * (x - target).clamp(-1, 1)
        return grad_x, -grad_x, None


class LogarithmForgotten(KLDivergence):
    """∂y/∂t = ln t − x: the 1 of the product's other factor is missing."""

    @staticmethod
    def backward(ctx, grad_y):
        x, target = ctx.saved_tensors
        grad_x, _, _ = KLDivergence.backward(ctx, grad_y)
        return grad_x, grad_y * (target.log() - x), None


class RightClassForgotten(MultiMargin):
    """The slope of the right class's own score is left out."""

    @staticmethod
    def backward(ctx, grad_y):
        grad_x, *others = MultiMargin.backward(ctx, grad_y)
        target = ctx.saved_tensors[1]
        return grad_x.scatter(-1, target.unsqueeze(-1), 0.0), *others


class LengthHeldConstant(CosineEmbedding):
    """b / ρ alone: the part along a is not taken out."""

    @staticmethod
    def backward(ctx, grad_y):
        x, other, target = ctx.saved_tensors
        _, grad_other, *none = CosineEmbedding.backward(ctx, grad_y)
        g = torch.where(target == 1, -grad_y, torch.where(target == -1, grad_y, 0))
        lengths = x.norm(dim=-1, keepdim=True) * other.norm(dim=-1, keepdim=True)
        return g.unsqueeze(-1) * other / lengths, grad_other, *none


PLANTED = (
    (ForgottenSignError, 0),
    (ForgottenDeltaError, 1),
    (LogarithmForgotten, 0),
    (RightClassForgotten, 0),
    (LengthHeldConstant, 0),
)


@pytest.mark.parametrize(("op", "number"), PLANTED)
def test_the_mistakes_of_others_are_seen(op: type, number: int) -> None:
    assert_seen(planted(op, number=number))
