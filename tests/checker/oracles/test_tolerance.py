"""How far two right answers may lie apart, and no further."""

import pytest
import torch
from torch import Tensor

from tests.checker.given import normal, run_of, seeded
from tests.corpora.wrong_ops.right_rules import Square
from torchref.checker.execution.run import Run
from torchref.checker.oracles.tolerance import FLOOR, conditioning, gradient_floor, rounding

X = normal(5, 4)
DOUBLE, SINGLE = (torch.finfo(dtype).eps for dtype in (torch.float64, torch.float32))


def reach_of(function, x: Tensor) -> Tensor:
    """What one ulp of x does to the gradient, in units of its typical entry."""
    run = run_of(function, None, x)
    (reach,) = conditioning(run, run.got)
    return reach


def test_rounding_is_relative_to_the_entry_and_to_the_typical_one() -> None:
    truth = torch.tensor([1.0, 1e-9, 3.0], dtype=torch.float64)
    allowed = rounding(truth, DOUBLE)
    assert bool((allowed < 1e-11).all())
    assert float(allowed[1]) > 1e-14  # the small entry is a sum of large ones
    assert float(allowed[2]) > float(allowed[0]) > float(allowed[1])


def test_a_lower_precision_is_allowed_few_roundings() -> None:
    assert float(rounding(X, SINGLE).max()) < 1e3 * SINGLE * float(X.abs().max())
    assert bool((rounding(X, SINGLE) > rounding(X, DOUBLE)).all())


@pytest.mark.parametrize("value", [torch.inf, -torch.inf, torch.nan])
def test_an_entry_that_is_not_finite_widens_nothing(value: float) -> None:
    truth = X.clone()
    truth[0, 0] = value
    allowed = rounding(truth, DOUBLE)
    assert bool(torch.isfinite(allowed).all())
    assert float(allowed.max()) < 1e-11


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e6])
def test_the_floor_is_rounding_of_the_outputs_in_units_of_the_argument(unit: float) -> None:
    run: Run = run_of(torch.sin, None, unit * X)
    (y,), (c,) = run.outputs, run.cotangents.values()
    expected = FLOOR * DOUBLE * float((c * y).square().sum().sqrt())
    expected /= float((unit * X).square().mean().sqrt())
    assert gradient_floor(run, unit * X) == pytest.approx(expected)


def test_a_well_conditioned_gradient_is_forgiven_a_few_ulps() -> None:
    assert float(reach_of(Square, X).max()) < 1e-12


def test_an_ill_conditioned_gradient_is_forgiven_what_one_ulp_does() -> None:
    """1/(x − 1)² at 1 + 1e-7: an ulp of x moves it by nine digits more than its own ulp."""
    x = torch.tensor([1 + 1e-7, 3.0], dtype=torch.float64)
    reach = reach_of(lambda x: 1 / (x - 1), x)
    assert 1e-9 < float(reach[0]) * 1e-14 < 1e-6
    assert float(reach[1]) < 1e-13


def test_the_rounding_of_a_gradient_that_is_0_is_forgiven() -> None:
    def deviation(x: Tensor) -> Tensor:
        return (x - x.mean(1, keepdim=True)).square()

    x = X[:, :1].expand(X.shape).clone()
    run = run_of(deviation, None, x)
    (reach,) = conditioning(run, run.got)
    assert bool((run.claimed[0].abs() <= reach).all())
    assert float(reach.max()) < 1e-12


def test_a_jump_is_forgiven_nothing() -> None:
    """The slope changes its sign at 1, an ulp away."""
    x = torch.tensor([1.0, 2.0], dtype=torch.float64)
    reach = reach_of(lambda x: torch.where(x > 1, x, -x), x)
    assert float(reach.max()) == 0


@pytest.mark.parametrize("seed", range(3))
def test_a_gradient_without_digits_is_forgiven_nothing_in_float32(seed: int) -> None:
    """An ulp of x turns 10¹² x by several radians."""
    x = 4e-4 * (1 + torch.rand(50, generator=seeded(seed)))

    def noise(x: Tensor) -> Tensor:
        return 1 + (1e12 * x).sin().detach() * x

    (reach,) = conditioning(run := run_of(noise, None, x), run.got)
    assert float(run.claimed[0].std()) > 0.5  # it is noise
    assert float(reach.median()) == 0


def test_a_reference_that_refuses_the_nudged_inputs_forgives_nothing() -> None:
    def only_here(x: Tensor) -> Tensor:
        if not torch.equal(x, X):
            raise ValueError("elsewhere")
        return x**2

    assert float(reach_of(only_here, X).max()) == 0
