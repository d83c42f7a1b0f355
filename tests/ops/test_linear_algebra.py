"""What is particular to linear algebra; the catalogue's tests hold for it too."""

import pytest
import torch
from torch import Tensor

from tests.ops.catalogue_cases import (
    SAMPLES,
    TORCH_SCRIPTS_ITS_JVP,
    Case,
    gradients,
    normal_like,
    planted,
)
from tests.ops.test_first_order import assert_seen
from tests.random_inputs import seeded
from torchref import crosscheck
from torchref.catalogue import CATALOGUE
from torchref.catalogue.entry import normal
from torchref.catalogue.linear_algebra import positive_definite, regular
from torchref.checker.oracles.symmetric import SHARED
from torchref.ops import Cholesky, Inverse, LogDet, Solve, cholesky_steps
from torchref.ops.linear_algebra.cholesky import symmetric


@pytest.mark.parametrize("size", [0, 1, 2, 5])
def test_the_collapsed_factor_is_the_one_of_many_columns(size: int) -> None:
    x = positive_definite(seeded(size), size, size)
    y, (grad_x,) = gradients(lambda x: Cholesky.call(x, False), (x,))
    steps = cholesky_steps(x, normal_like(y, seed=1))
    torch.testing.assert_close(steps.y, y, rtol=1e-13, atol=1e-14)
    torch.testing.assert_close(steps.grad_x, grad_x, rtol=1e-12, atol=1e-13)


def test_each_column_is_what_autograd_finds_there() -> None:
    """What is below the diagonal of column j is moved, and the pivot, and the rest is run anew."""
    x = positive_definite(seeded(0), 4, 4)
    cotangent = normal(seeded(1), 4, 4)
    steps = cholesky_steps(x, cotangent)

    def rest(j: int, pivot: Tensor, below: Tensor) -> Tensor:
        """The loss: the columns before are given, j is made of these, and the others follow."""
        columns = [steps.y[:, k] for k in range(j)]
        for k in range(j, 4):
            before = [column[k] for column in columns]
            if k > j:
                pivot = x[k, k] - sum(value**2 for value in before)
                taken = sum(c[k + 1 :] * v for c, v in zip(columns, before, strict=True))
                below = x[k + 1 :, k] - taken
            top = torch.zeros(k, dtype=torch.float64)
            root = pivot.sqrt()
            columns.append(torch.cat((top, root.reshape(1), below / root)))
        return (torch.stack(columns, 1) * cotangent).sum()

    for j in range(4):
        of_pivot, of_below = torch.func.grad(rest, (1, 2))(j, steps.pivots[j], steps.below[j])
        torch.testing.assert_close(steps.grads_pivot[j], of_pivot, rtol=1e-12, atol=1e-13)
        torch.testing.assert_close(steps.grads_below[j], of_below, rtol=1e-12, atol=1e-13)
        diagonal = 2 * steps.y[j, j] * of_pivot
        torch.testing.assert_close(steps.grads_diagonal[j], diagonal, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("upper", [False, True])
def test_of_a_symmetric_matrix_value_and_gradient_are_torchs_own(upper: bool) -> None:
    x = positive_definite(seeded(0), 2, 3, 3)
    (y, mine), (torchs_y, torchs) = (
        gradients(function, (x,))
        for function in (
            lambda x: Cholesky.call(x, upper),
            lambda x: torch.linalg.cholesky(x, upper=upper),
        )
    )
    torch.testing.assert_close(y, torchs_y, rtol=1e-14, atol=0)
    torch.testing.assert_close(mine, torchs, rtol=1e-12, atol=1e-13)


def test_the_gradient_of_the_factor_is_that_of_its_value_in_every_direction() -> None:
    """Torch's own is right along symmetric changes alone: it reads one triangle."""
    x = positive_definite(seeded(0), 3, 3)

    def own(x: Tensor) -> Tensor:
        return torch.linalg.cholesky(x)

    alone, torchs = (crosscheck(each, inputs=(x,)) for each in (lower_factor, own))
    assert (alone.verdict, torchs.verdict) == ("right", "right")
    assert [any(SHARED in note for note in each.notes) for each in (alone, torchs)] == [False, True]


def lower_factor(x: Tensor) -> Tensor:
    return Cholesky.call(x, False)


SINGULAR = torch.tensor([[1.0, 2.0], [2.0, 4.0]], dtype=torch.float64)
RAISING = {
    "Inverse": (lambda x: Inverse.call(x), torch.linalg.inv),
    "Solve": (lambda x: Solve.call(x, x, True), lambda x: torch.linalg.solve(x, x)),
    "Cholesky": (lower_factor, torch.linalg.cholesky),
}


@pytest.mark.parametrize("name", RAISING)
@pytest.mark.parametrize("x", [torch.zeros_like(SINGULAR), -SINGULAR], ids=["zeros", "negative"])
def test_what_cannot_be_solved_is_torchs_error(name: str, x: Tensor) -> None:
    for function in RAISING[name]:
        with pytest.raises(torch.linalg.LinAlgError):
            function(x - (name != "Cholesky") * x)


def test_the_logarithm_of_a_determinant_of_zero_is_minus_infinity_as_torchs() -> None:
    for function in (LogDet.call, lambda x: torch.linalg.slogdet(x).logabsdet):
        x = torch.zeros(2, 2, dtype=torch.float64, requires_grad=True)
        y = function(x)
        (grad_x,) = torch.autograd.grad(y, x)
        assert y == -torch.inf
        assert not grad_x.isfinite().all()


def test_the_slope_of_a_determinant_does_not_know_its_sign() -> None:
    x = regular(seeded(0), 3, 3)
    (_, (slope,)), (_, (mirrored,)) = (
        gradients(LogDet.call, (each,)) for each in (x, x[[1, 0, 2]])
    )
    torch.testing.assert_close(mirrored[[1, 0, 2]], slope, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("large", [torch.inf, -torch.inf, 1e300])
@pytest.mark.parametrize("name", ["Inverse", "Solve", "LogDet"])
def test_there_is_no_nan_where_torch_has_none(name: str, large: float) -> None:
    """The transposed equation has the pivots of the one that was solved, as torch's."""
    entry = CATALOGUE[name]
    for entry_of_matrix in range(3):
        inputs = entry.samples(seeded(0))[0]
        inputs[0].view(-1)[entry_of_matrix] = large
        leaves = [x.requires_grad_() for x in inputs if isinstance(x, Tensor)]
        mine, torchs = (
            (y, *torch.autograd.grad(y, leaves, torch.ones_like(y)))
            for y in (entry.op.call(*inputs), entry.twin(*inputs))
        )
        for one, its in zip(mine, torchs, strict=True):
            assert not (one.isnan() & ~its.isnan()).any()


class Untransposed(Inverse):
    @staticmethod
    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        return -(y @ grad_y @ y)


class NotSymmetric(Cholesky):
    @staticmethod
    def backward(ctx, grad_y):
        grad_x, _ = Cholesky.backward(ctx, grad_y)
        return 2 * grad_x.tril(-1) + grad_x.diagonal(dim1=-2, dim2=-1).diag_embed(), None


class DiagonalNotHalved(Cholesky):
    @staticmethod
    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        inverse = torch.linalg.inv(y)
        return symmetric(inverse.mT @ (y.mT @ grad_y).tril() @ inverse), None


class SidesSwapped(Solve):
    @staticmethod
    def backward(ctx, grad_y):
        grad_weight, grad_x, _ = Solve.backward(ctx, grad_y)
        return grad_weight.mT, grad_x, None


@pytest.mark.parametrize("op", [Untransposed, NotSymmetric, DiagonalNotHalved, SidesSwapped])
def test_the_usual_mistakes_are_seen(op: type) -> None:
    assert_seen(planted(op))


@pytest.mark.filterwarnings(TORCH_SCRIPTS_ITS_JVP)
@pytest.mark.parametrize(
    "case", [case for case in SAMPLES if case.entry.op in (Inverse, Solve, Cholesky)], ids=str
)
def test_it_is_what_it_solves(case: Case) -> None:
    inputs = case.inputs()
    y = case.entry.op.call(*inputs)
    if case.entry.op is Inverse:
        expected, product = torch.eye(y.shape[-1], dtype=y.dtype).expand_as(y), inputs[0] @ y
    elif case.entry.op is Solve:
        weight, x, left = inputs
        product = weight @ y if left else y @ weight
        expected = x.expand_as(product)
    else:
        expected, product = inputs[0], y.mT @ y if inputs[1] else y @ y.mT
    torch.testing.assert_close(product, expected, rtol=1e-13, atol=1e-13)
