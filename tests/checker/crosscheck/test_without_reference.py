"""With nothing to compare to: what is right raises no alarm, and what is found in torch is true."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
import torch.autograd.forward_ad as forward_ad
import torch.nn.functional as F
from torch import Tensor

from tests.checker.given import assert_wrong, normal, of_x, seeded
from tests.corpora.right_functions import RIGHT, RightFunction
from tests.corpora.wrong_ops.rule import gradients_of
from tests.slow import few_of
from torchref import crosscheck

# Where torch itself is wrong, the cause that is told; `errors_of_torch` holds each to a formula.
WRONG_IN_TORCH = {
    "hardsigmoid at its corners": "precision-loss",  # its 1/6 is a float32 number
    "digamma": "precision-loss",  # of its derivative torch knows nine digits
    "lgamma": "second-order-wrong",  # the same derivative, one order higher
    "logcumsumexp": "forward-mode-wrong",  # eleven digits of sixteen
    "scatter_reduce by prod": "forward-mode-wrong",  # a tangent of 0
    "batch_norm in training without statistics": "layout-dependent",  # the strides of the weight
    "gaussian_nll_loss": "wrong-elements",  # a variance below its ε
}

# Wrong in torch before 2.13: a 1 too many in a matrix with more rows than columns.
MENDED_IN_TORCH = {"trace": "wrong-elements"}

# Where a variation leaves what the function promises; without a reference nobody says so.
NOT_PROMISED = {
    "index_copy": "wrong-elements",  # one index twice: which copy stays is left open
    "index_put accumulating": "wrong-elements",  # likewise, once it does not accumulate
    "scatter": "wrong-elements",  # likewise
    "polar": "sign-flipped",  # a negative length
    "ctc_loss": "wrong-elements",  # the blank as a label
}

UNDECIDED = {
    "binary_cross_entropy": "between 0 and 1",  # a target at the edge cannot move
    "max_pool2d overlapping": "there is no derivative here",
    "sum of nothing": "nothing was compared",
}


@pytest.mark.parametrize("right", few_of(RIGHT, name=lambda right: right.name))
def test_a_function_of_torch_raises_no_alarm(right: RightFunction) -> None:
    inputs = right.inputs(seeded(0))
    report = crosscheck(right.function, inputs=inputs, kwargs=right.kwargs)
    known = {**WRONG_IN_TORCH, **MENDED_IN_TORCH, **NOT_PROMISED}
    if right.name in UNDECIDED:
        assert report.verdict == "cannot tell", str(report)
        assert UNDECIDED[right.name] in str(report)
    elif report.verdict != "right":
        assert report.findings[0].cause == known.get(right.name), str(report)


def slope(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    x = x.detach().requires_grad_()
    return torch.autograd.grad(function(x).sum(), x)[0]


def hardsigmoid() -> tuple[Tensor, Tensor]:
    x = torch.tensor([0.5, -1.0], dtype=torch.float64)
    return slope(F.hardsigmoid, x), torch.full_like(x, 1 / 6)


def trigamma(x: Tensor) -> Tensor:
    """Σ 1/(x + k)² over the first terms, and Stirling's series for the rest."""
    terms = 40
    first = sum((1 / (x + k) ** 2 for k in range(terms)), torch.zeros_like(x))
    i = 1 / (x + terms)
    return first + i + i**2 / 2 + i**3 * (1 / 6 - i**2 * (1 / 30 - i**2 / 42))


def digamma() -> tuple[Tensor, Tensor]:
    x = torch.tensor([0.3, 0.5, 1.0, -1.3], dtype=torch.float64)
    return slope(torch.digamma, x), trigamma(x)


def lgamma_twice() -> tuple[Tensor, Tensor]:
    x = torch.tensor([0.3, 0.5, 1.0], dtype=torch.float64, requires_grad=True)
    once = torch.autograd.grad(torch.lgamma(x).sum(), x, create_graph=True)[0]
    return torch.autograd.grad(once.sum(), x)[0], trigamma(x.detach())


def tangent(function: Callable[[Tensor], Tensor], x: Tensor, dx: Tensor) -> Tensor:
    with forward_ad.dual_level():
        dy = forward_ad.unpack_dual(function(forward_ad.make_dual(x, dx))).tangent
    return torch.zeros_like(function(x)) if dy is None else dy


def logcumsumexp() -> tuple[Tensor, Tensor]:
    x, dx = normal(40), normal(40, seed=1)
    e = x.exp()
    return tangent(lambda x: x.logcumsumexp(0), x, dx), (e * dx).cumsum(0) / e.cumsum(0)


def scatter_reduce_by_product() -> tuple[Tensor, Tensor]:
    source, moved = normal(4), normal(4, seed=1)
    here, index = torch.ones(2, dtype=torch.float64), torch.tensor([0, 0, 1, 1])
    dy = tangent(lambda s: here.scatter_reduce(0, index, s, "prod"), source, moved)
    (a, b, c, d), (da, db, dc, dd) = source, moved
    return dy, torch.stack([da * b + a * db, dc * d + c * dd])


def batch_norm() -> tuple[Tensor, Tensor]:
    x, weight, grad_y = normal(6, 3).requires_grad_(), normal(3, seed=1), normal(6, 3, seed=2)
    strided = torch.stack([weight, 10 * weight], 1)[:, 0]
    y = F.batch_norm(x, None, None, strided, training=True)
    (grad_x,) = torch.autograd.grad(y, x, grad_y)
    variance, mean = torch.var_mean(x.detach(), 0, correction=0)
    r = torch.rsqrt(variance + 1e-5)
    xh, g = (x.detach() - mean) * r, grad_y * weight
    return grad_x, r * (g - g.mean(0) - xh * (g * xh).mean(0))


def gaussian_nll() -> tuple[Tensor, Tensor]:
    """The loss is constant in a variance below its ε."""
    variance = torch.tensor([1e-8], dtype=torch.float64)
    loss = partial(F.gaussian_nll_loss, normal(1), normal(1, seed=1))
    return slope(loss, variance), torch.zeros_like(variance)


@pytest.mark.parametrize(
    ("pair", "least"),
    [
        (hardsigmoid, 1e-9),
        (digamma, 1e-10),
        (lgamma_twice, 1e-10),
        (logcumsumexp, 1e-13),
        (scatter_reduce_by_product, 1e-2),
        (batch_norm, 1e-2),
        (gaussian_nll, 1.0),
    ],
    ids=list(WRONG_IN_TORCH),
)
def test_errors_of_torch(pair: Callable[[], tuple[Tensor, Tensor]], least: float) -> None:
    """Once torch has mended one, it leaves the list."""
    theirs, true = pair()
    error = (theirs - true).abs().max() / true.abs().max().clamp_min(1e-3)
    assert float(error) > least


@pytest.mark.parametrize("seed", range(4))
def test_a_variance_below_its_epsilon_is_described_whatever_its_share(seed: int) -> None:
    (loss,) = (right for right in RIGHT if right.name == "gaussian_nll_loss")
    inputs = loss.inputs(seeded(seed))
    report = crosscheck(loss.function, inputs=inputs, kwargs=loss.kwargs, seed=seed)
    assert report.findings[0].cause == "wrong-elements"
    assert "where |var| is at most" in report.findings[0].evidence


@gradients_of(lambda x: x.cumprod(-1))
def CumulativeProduct(grad_y, x):
    """y_i = Π_{j≤i} x_j, whose backward divides by x."""
    y = x.cumprod(-1)
    return (grad_y * y).flip(-1).cumsum(-1).flip(-1) / x


@pytest.mark.parametrize("seed", range(3))
def test_a_division_by_zero_where_the_forward_is_smooth_is_found(seed: int) -> None:
    report = assert_wrong(CumulativeProduct, inputs=(normal(4, 6, seed=seed),), seed=seed)
    assert (report.findings[0].cause, report.findings[0].at) == ("not-finite", "a zero in x")


@pytest.mark.parametrize(
    ("function", "inputs"),
    [
        (torch.atan2, (torch.tensor([0.0, 1.0]), torch.tensor([0.0, 2.0]))),
        (torch.xlogy, (torch.tensor([0.0, 1.0]), torch.tensor([0.0, 2.0]))),  # smooth along axes
        (lambda x: torch.linalg.qr(x)[0], (torch.zeros(3, 3),)),
        (lambda x: x / x, (torch.tensor([0.0, 1.0, -2.0]),)),
        (lambda x: x.norm() / 1 + (x * x / x).sum() * 0, (torch.zeros(3),)),
        (torch.atan2, (torch.tensor([2.0, 1.0, 3.0]), torch.tensor([1.0, torch.inf, 3.0]))),
        (torch.atan2, (torch.tensor([2.0, 1.0, 3.0]), torch.tensor([1.0, -torch.inf, 3.0]))),
    ],
    ids=["atan2", "xlogy", "qr", "a pole", "a cone", "at infinity", "at minus infinity"],
)
def test_where_there_is_no_derivative_nan_is_no_fault(function, inputs) -> None:
    report = crosscheck(function, inputs=tuple(x.double() for x in inputs), thorough=False)
    assert report.verdict != "wrong", str(report)


@pytest.mark.parametrize("size", [1e-15, 1e-13])
def test_equal_rows_whose_decomposition_has_rounding_in_place_of_zeros(size: float) -> None:
    """Some LAPACKs round so that qr's gradient is no NaN there, and 1e16 or 1e33 in size."""
    rounding = size * normal(4, 4).detach()
    matrix = torch.diag(torch.tensor([1.0, 2.5, 4.0, 6.0])) + normal(4, 4, seed=1).detach() / 10
    report = crosscheck(lambda x: tuple(torch.linalg.qr(x + rounding)), inputs=(matrix,))
    assert report.verdict == "right", str(report)


@pytest.mark.parametrize(("factor", "told"), [(1.0, "% would have been seen"), (-1.0, "far apart")])
def test_where_it_cannot_tell_it_says_how_large_an_error_would_have_been_seen(factor, told) -> None:
    def of_few_digits(x: Tensor) -> Tensor:
        """float32 numbers near a thousand, of which few digits move."""
        if x.dtype != torch.float32:
            raise TypeError("float32 only")
        return 1e3 + torch.sin(x)

    candidate = of_x(of_few_digits, lambda grad_y, x: factor * grad_y * torch.cos(x))
    report = crosscheck(candidate, inputs=(normal(4, 3).float(),))
    assert report.verdict == "cannot tell"
    (note,) = (check.note for check in report.checks if check.status == "cannot tell")
    assert "along a random direction they are" in note
    assert told in note


SPREAD = normal(4, 4)
DEFINITE = SPREAD @ SPREAD.mT + 4 * torch.eye(4, dtype=torch.float64)


@pytest.mark.parametrize("function", [torch.linalg.cholesky, torch.linalg.eigvalsh])
def test_of_a_symmetric_matrix_one_triangle_may_be_read(function: Callable[..., Tensor]) -> None:
    """torch reads the lower one, and gives half of the gradient to either."""
    report = crosscheck(function, None, (DEFINITE,), order=2)
    assert report.verdict == "right", str(report)
    assert any("right along symmetric changes" in note for note in report.notes)
    assert crosscheck(function, None, (SPREAD,)).verdict != "right"


def to_either_triangle(factor: float) -> Callable[[Tensor, Tensor], Tensor]:
    def gradient(grad_y: Tensor, x: Tensor) -> Tensor:
        lower = (grad_y * x.cos()).tril()
        return factor * (lower + lower.mT)

    return gradient


def test_half_the_gradient_is_what_either_triangle_gets() -> None:
    def read(x: Tensor) -> Tensor:
        return x.tril().sin()

    right, wrong = (gradients_of(read)(to_either_triangle(factor)) for factor in (0.5, 1.0))
    assert crosscheck(right, None, (DEFINITE,)).verdict == "right"
    assert_wrong(wrong, None, (DEFINITE,), vary=False)
    larger = normal(50, 50)
    assert_wrong(wrong, None, (larger @ larger.mT,))


def test_both_triangles_read_leave_no_choice() -> None:
    """At a symmetric matrix this transposed gradient is right along symmetric changes."""

    @gradients_of(torch.mv)
    def Transposed(grad_y: Tensor, a: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        return x.outer(grad_y), a.mT @ grad_y

    @gradients_of(torch.mv)
    def Halved(grad_y: Tensor, a: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        return (x.outer(grad_y) + grad_y.outer(x)) / 2, a.mT @ grad_y

    for wrong in (Transposed, Halved):
        assert_wrong(wrong, None, (DEFINITE, normal(4)), vary=False)
