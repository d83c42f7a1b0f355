"""The numeric oracle: accurate, honest about its error, cheap for any number of entries."""

import math
from collections.abc import Callable, Sequence

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.checker.given import case_of, normal, run_of, seeded
from tests.checker.given.objectives import Counted, objective_of
from torchref.checker.execution.arithmetic import inner, typical_size
from torchref.checker.execution.subject import as_subject
from torchref.checker.oracles.bisection import Objective, locate
from torchref.checker.oracles.differences import judge_by_differences
from torchref.checker.oracles.directional_derivative import (
    Line,
    Slope,
    central_slope,
    draw_directions,
    settled_slope,
)

SEEDS = range(10)
PASSES = 16  # forward passes for any number of entries

SMOOTH: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda x: 3 * x,
    "square": torch.square,
    "cube": lambda x: x**3,
    "sin": torch.sin,
    "exp": torch.exp,
    "sigmoid": torch.sigmoid,
    "logsumexp": lambda x: torch.logsumexp(x, -1),
    "softmax": lambda x: torch.softmax(x, -1),
    "steep": lambda x: torch.sin(40 * x),
    "narrow": lambda x: torch.exp(-100 * x**2),
    "log of a positive": lambda x: torch.log(x.abs() + 0.5),
    "reciprocal": lambda x: 1 / (x.abs() + 0.01),
    "scaled": lambda x: 1e-9 * torch.tanh(x),
}

SHARP = {"steep", "narrow", "log of a positive", "reciprocal"}


def size_of_moves(objective: Objective, directions: Sequence[Tensor]) -> float:
    pairs = zip(objective.claimed, directions, strict=True)
    return math.sqrt(sum(inner(g * d, g * d) for g, d in pairs))


def slope_of(objective: Objective, directions: Sequence[Tensor]) -> Slope:
    return central_slope(objective.line(directions), size_of_moves(objective, directions))


def measured_and_claimed(objective: Objective, seed: int = 0) -> tuple[Slope, float]:
    """Along random directions."""
    directions = draw_directions(objective.case, seeded(seed))
    return slope_of(objective, directions), objective.claimed_slope(directions)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", SMOOTH)
def test_the_error_is_within_its_estimate(name: str, seed: int) -> None:
    objective = objective_of(SMOOTH[name], normal(5, 7, seed=seed), seed=seed)
    directions = draw_directions(objective.case, seeded(seed))
    slope = slope_of(objective, directions)
    claimed = objective.claimed_slope(directions)
    rounding = 1e-14 * sum(
        float((g * d).abs().sum()) for g, d in zip(objective.claimed, directions, strict=True)
    )
    assert math.isfinite(slope.error)
    assert abs(slope.value - claimed) <= slope.tolerance + rounding


@pytest.mark.parametrize("name", SMOOTH)
def test_the_estimate_is_no_blank_cheque(name: str) -> None:
    objective = objective_of(SMOOTH[name], normal(5, 7))
    directions = draw_directions(objective.case, seeded(0))
    # Within a fortieth of its size the smooth may bend, or have a kink: then the step is small.
    allowed = (1e-6 if name in SHARP else 1e-8) * size_of_moves(objective, directions)
    assert slope_of(objective, directions).tolerance <= allowed


def test_a_forward_of_single_precision_shows_in_the_estimate() -> None:
    def coarse(x: Tensor) -> Tensor:
        return torch.sin(x.float()).double()

    x = normal(50)
    objective = objective_of(coarse, x)
    directions = draw_directions(objective.case, seeded(0))
    slope = slope_of(objective, directions)
    exact = float((objective.cotangents[0] * torch.cos(x) * directions[0]).sum())
    assert abs(slope.value - exact) <= slope.tolerance


def test_a_pole_within_the_larger_steps_is_no_other_slope() -> None:
    """1/x at 1e-4: a step of an eighth of its argument's size lands on the other side."""
    x = torch.tensor([1e-4, 7.0, -3.0], dtype=torch.float64)
    objective = objective_of(torch.reciprocal, x)
    for seed in SEEDS:
        slope, claimed = measured_and_claimed(objective, seed)
        assert abs(slope.value - claimed) <= slope.tolerance


def test_a_pole_far_below_the_typical_size_is_not_leapt_over() -> None:
    """1/x at 1e-5 beside 100: the larger steps agree, and far below the scale of the slope."""
    x = torch.tensor([1e-5, 100.0, -30.0], dtype=torch.float64)
    objective = objective_of(torch.reciprocal, x)
    directions = draw_directions(objective.case, seeded(0))
    scale = abs(objective.claimed_slope(directions))
    assert abs(central_slope(objective.line(directions), scale).value) < 1e-3 * scale
    assert settled_slope(objective.line(directions), scale).error == math.inf


def test_a_kink_that_the_larger_steps_stay_beyond_is_settled_by_finer_ones() -> None:
    objective = objective_of(
        lambda x: (x - 1e-3).abs() - (x + 1e-3).abs() / 2, torch.zeros(1).double()
    )
    directions = draw_directions(objective.case, seeded(0))
    claimed = objective.claimed_slope(directions)
    slope = settled_slope(objective.line(directions), abs(claimed))
    assert math.isfinite(slope.error)
    assert abs(slope.value - claimed) <= slope.tolerance


@pytest.mark.parametrize("function", [torch.sign, torch.zeros_like], ids=["sign", "zeros"])
def test_what_does_not_move_has_slope_0(function: Callable[[Tensor], Tensor]) -> None:
    objective = objective_of(lambda x: function(x) + 0 * x, normal(5) + 7)
    slope, _ = measured_and_claimed(objective)
    assert slope.value == 0
    assert slope.tolerance < 1e-10


def test_a_slope_lost_in_a_large_output_is_not_believed() -> None:
    slope, _ = measured_and_claimed(objective_of(lambda x: x + 1e15, normal(5)))
    assert slope.error == math.inf


def defined_at_one_point(x: Tensor) -> Tensor:
    if not torch.equal(x, normal(50)):
        raise ValueError("outside")
    return x.sin()


@pytest.mark.parametrize("function", [lambda x: torch.floor(8 * x), defined_at_one_point])
def test_what_moves_in_steps_or_raises_beside_the_point_is_not_believed(function) -> None:
    objective = objective_of(function, normal(50))
    directions = draw_directions(objective.case, seeded(0))
    assert central_slope(objective.line(directions)).error == math.inf


def test_complex_inputs_move_along_complex_directions() -> None:
    z = torch.randn(4, generator=seeded(0), dtype=torch.complex128)
    objective = objective_of(lambda z: (z * z.conj() * (2 + z.imag)).real, z)
    assert draw_directions(objective.case, seeded(1))[0].is_complex()
    slope, claimed = measured_and_claimed(objective, seed=1)
    assert abs(slope.value - claimed) <= slope.tolerance + 1e-13


def elementwise(count: int, seed: int) -> tuple[Callable[..., Tensor], list[Tensor]]:
    return torch.tanh, [normal(count, seed=seed)]


def affine(count: int, seed: int) -> tuple[Callable[..., Tensor], list[Tensor]]:
    """The weight has most of the entries, `count` of them."""
    side = math.isqrt(count)
    shapes = (3, side), (count // side, side), (count // side,)
    return F.linear, [normal(*shape, seed=seed + k) for k, shape in enumerate(shapes)]


def spoilt(
    objective: Objective, place: int, seed: int, relative: float
) -> tuple[Objective, tuple[int, ...]]:
    """One entry of one claimed gradient is off by so much of the typical entry."""
    claimed = [g.clone() for g in objective.claimed]
    flat = int(torch.randint(claimed[place].numel(), (), generator=seeded(seed)))
    element = tuple(int(i) for i in torch.unravel_index(torch.tensor(flat), claimed[place].shape))
    claimed[place][element] += relative * typical_size(claimed[place])
    return Objective(objective.subject, objective.case, objective.cotangents, claimed), element


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("count", "relative"), [(10**4, 1e-6), (10**6, 1e-4)])
@pytest.mark.parametrize("op", [elementwise, affine])
def test_one_wrong_entry_is_seen_and_located(op, count: int, relative: float, seed: int) -> None:
    function, inputs = op(count, seed)
    right = objective_of(function, *inputs, seed=seed)
    directions = draw_directions(right.case, seeded(seed))
    slope = slope_of(right, directions)
    assert abs(slope.value - right.claimed_slope(directions)) <= slope.tolerance

    place = len(inputs) // 2  # the weight, or the only argument
    wrong, element = spoilt(right, place, seed, relative)
    excess = slope.value - wrong.claimed_slope(directions)
    assert abs(excess) > slope.tolerance
    located = locate(wrong, directions, excess, slope.step)
    assert (located.argument, located.element) == (place, element)


@pytest.mark.parametrize("name", [*SMOOTH, "floor", "relu", "abs"])  # which do not settle
@pytest.mark.parametrize("count", [1, 10, 1000, 100_000])
def test_sixteen_forward_passes_whatever_the_number_of_entries(name: str, count: int) -> None:
    function = Counted(SMOOTH.get(name) or getattr(torch, name))
    case = case_of(function, normal(count))
    y = function(*case.arguments)
    function.passes = 0
    line = Line(as_subject(function), case, draw_directions(case, seeded(0)), {0: normal(*y.shape)})
    central_slope(line)
    assert 0 < function.passes <= PASSES


def test_directions_have_no_small_entry_and_the_arguments_units() -> None:
    case = case_of(torch.mul, 1e6 * normal(50), 1e-6 * normal(50, seed=1))
    first, second = draw_directions(case, seeded(0))
    for direction, x in ((first, case.arguments[0]), (second, case.arguments[1])):
        size = direction.abs() / typical_size(x)
        assert 0.5 <= float(size.min()) <= float(size.max()) <= 1.5
        assert bool((direction > 0).any())
        assert bool((direction < 0).any())


@pytest.mark.parametrize(
    ("entries", "size"),
    [
        ([3.0, 4.0], 12.5**0.5),
        ([0.0] * 2, 0.0),
        ([], 0.0),
        ([2.0, math.inf], 2.0),
        ([1e200], 1e200),
    ],
)
def test_the_typical_size_is_the_root_mean_square(entries: list[float], size: float) -> None:
    assert typical_size(torch.tensor(entries, dtype=torch.float64)) == pytest.approx(size)


def test_the_rounding_of_the_inputs_is_handed_on_by_a_steep_forward() -> None:
    """Entries that are all equal: normalised, a step of 1e-8 is rounded to seven digits of it."""
    module = torch.nn.BatchNorm2d(3).double()
    for seed in SEEDS:
        run = run_of(module, None, torch.ones(2, 3, 4, 5, dtype=torch.float64), seed=seed)
        assert not judge_by_differences(run).faults, seed


def test_of_subnormal_slopes_no_digit_is_asked() -> None:
    assert Slope(5e-322, 0.0, 1.0).distance(1e-321, 0.0) < 1


def test_a_wrong_slope_is_beyond_its_tolerance() -> None:
    assert Slope(2.0, 1e-12, 1.0).distance(1.0, 1e-14) > 1e6
    assert Slope(2.0, 1e-12, 1.0).distance(2.0, 1e-14) == 0
