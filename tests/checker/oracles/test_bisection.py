"""The wrong entry is found among N in a number of forward passes that grows with log₂ N."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.checker.given import normal, seeded
from tests.checker.given.objectives import Counted, objective_of
from torchref.checker.oracles.bisection import Objective, locate, numeric_gradient
from torchref.checker.oracles.directional_derivative import central_slope, draw_directions
from torchref.checker.oracles.tolerance import SAFETY

PASSES_A_HALVING = 16
STEP = 2.0**-9


def spoilt(function, inputs: tuple[Tensor, ...], place: int, element, error: float) -> Objective:
    objective = objective_of(function, *inputs)
    objective.claimed[place][element] += error
    return objective


def found(objective: Objective):
    directions = draw_directions(objective.case, seeded(1))
    slope = central_slope(objective.line(directions))
    excess = slope.value - objective.claimed_slope(directions)
    return locate(objective, directions, excess, slope.step)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64, 1000, 4097, 100_000])
def test_log2_passes(count: int) -> None:
    function = Counted(torch.tanh)
    objective = spoilt(function, (normal(count),), 0, (count // 3,), 0.25)
    directions = draw_directions(objective.case, seeded(1))
    slope = central_slope(objective.line(directions))
    function.passes = 0
    excess = slope.value - objective.claimed_slope(directions)
    assert locate(objective, directions, excess, slope.step).element == (count // 3,)
    # The last passes are those that measure the slope of the entry that was found.
    assert function.passes <= PASSES_A_HALVING * max(1, math.ceil(math.log2(count)))


@pytest.mark.parametrize("error", [1e-8, 1e-6, 1e-4, 1.0])
def test_a_small_error_is_found_by_extrapolation_and_a_large_one_without(error: float) -> None:
    function = Counted(torch.tanh)
    objective = spoilt(function, (normal(1000),), 0, (700,), error)
    directions = draw_directions(objective.case, seeded(1))
    step = STEP  # at which a difference errs by a millionth of the slope
    excess = -error * float(directions[0][700])
    function.passes = 0
    assert locate(objective, directions, excess, step).element == (700,)
    fewest, most = (20, 34) if error == 1.0 else (50, 74)
    assert fewest < function.passes < most


@pytest.mark.parametrize("element", [(0, 0), (2, 1), (3, 4)])
@pytest.mark.parametrize("place", [0, 1])
def test_the_first_the_last_and_any_entry_of_any_argument(place: int, element) -> None:
    objective = spoilt(torch.mul, (normal(4, 5), normal(4, 5, seed=1)), place, element, 1e-3)
    located = found(objective)
    assert (located.argument, located.element) == (place, element)


def test_a_scalar_and_an_empty_argument_have_their_places() -> None:
    def function(x: Tensor, empty: Tensor, scale: Tensor) -> Tensor:
        return scale * x + empty.sum()

    inputs = (normal(5), normal(0, 3), normal())
    located = found(spoilt(function, inputs, 2, (), 0.5))
    assert (located.argument, located.element) == (2, ())
    located = found(spoilt(function, inputs, 0, (4,), 0.5))
    assert (located.argument, located.element) == (0, (4,))


def test_of_two_wrong_entries_one_is_found_though_they_cancel() -> None:
    objective = spoilt(torch.tanh, (normal(64),), 0, (5,), 0.25)
    objective.claimed[0][40] -= 0.25
    assert found(objective).element in {(5,), (40,)}


def test_the_slope_of_the_entry_is_the_true_one() -> None:
    x = normal(4, 5)
    objective = spoilt(torch.tanh, (x,), 0, (2, 1), 0.25)
    true = objective.cotangents[0] * (1 - torch.tanh(x) ** 2)
    assert found(objective).slope == pytest.approx(float(true[2, 1]), rel=1e-8)


def test_a_numeric_gradient_is_the_gradient() -> None:
    inputs = (normal(5, 4), normal(3, 4), normal(3))
    objective = spoilt(F.linear, inputs, 0, (0, 0), 0.0)
    for place in range(3):
        gradient, error = numeric_gradient(objective, place, STEP)
        torch.testing.assert_close(gradient, objective.claimed[place], rtol=1e-9, atol=1e-9)
        assert float(error.max()) < 1e-9
        assert bool(((gradient - objective.claimed[place]).abs() <= SAFETY * error + 1e-15).all())
