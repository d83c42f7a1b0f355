"""Kinks and ties: any value between the one-sided derivatives is accepted, over a tie the sum."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.checker.given import assert_right, assert_wrong, case_of, normal, of_x, seeded
from tests.checker.given.candidates import relu_with_slope_at_zero, shares_of_ties
from tests.checker.given.objectives import Counted
from tests.corpora.wrong_ops.rule import Rule
from torchref import Report, crosscheck
from torchref.checker.execution.subject import as_subject
from torchref.checker.oracles.bisection import Objective
from torchref.checker.oracles.kinks import (
    has_ties,
    least_error,
    one_sided,
    tie_preserving,
    tied_elements,
    ties,
)

ZEROS = torch.tensor([-1.5, 0.0, 0.75, 0.0], dtype=torch.float64)
TIED = torch.tensor([[2.0, 1.0, 2.0], [0.5, 3.0, 3.0]], dtype=torch.float64)


def noted(report: Report) -> bool:
    return any("no derivative" in note for note in report.notes)


@pytest.mark.parametrize("slope", [0.0, 0.25, 0.5, 1.0])
def test_a_value_between_the_one_sided_derivatives_is_accepted(slope: float) -> None:
    assert noted(assert_right(relu_with_slope_at_zero(slope), torch.relu, (ZEROS,)))


@pytest.mark.parametrize("slope", [-0.25, 1.25, 7.0])
def test_a_value_outside_is_wrong_at_zero_alone(slope: float) -> None:
    finding = assert_wrong(relu_with_slope_at_zero(slope), torch.relu, (ZEROS,)).findings[0]
    assert finding.cause == "wrong-elements"
    assert finding.element in {(1,), (3,)}
    assert "where x is 0" in finding.evidence


def test_the_report_says_at_how_many_entries_it_was_a_convention() -> None:
    report = crosscheck(relu_with_slope_at_zero(0.5), torch.relu, (ZEROS,))
    assert any(note.startswith("x, as given: 2 entries have no") for note in report.notes)


ADD_UP = [(1.0, 0.0), (0.0, 1.0), (0.5, 0.5), (0.25, 0.75)]


@pytest.mark.parametrize("shares", [*ADD_UP, (1.0, 1.0), (0.5, 0.25), (0.0, 0.0), (1.5, -0.5)])
def test_shares_that_add_up_are_accepted_and_others_are_wrong(shares: tuple[float, float]) -> None:
    judge = assert_right if shares in ADD_UP else assert_wrong
    judge(shares_of_ties(*shares), lambda x: x.amax(1), (TIED,))


EITHER = pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)


@EITHER
@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0])
def test_without_a_reference_a_kink_is_accepted_and_noted(slope: float, dtype) -> None:
    x = ZEROS.to(dtype)
    report = assert_right(relu_with_slope_at_zero(slope), None, (x,), precision="native")
    assert noted(report) or slope == 0.5  # what central differences find


@EITHER
def test_a_kink_beside_a_jump_is_not_accused(dtype) -> None:
    """At 1 nothing settles, so that each entry is asked alone; at 0 half the slope does."""
    x = torch.tensor([-1.5, 0.0, 0.75, 1.0], dtype=dtype)
    candidate = of_x(lambda x: x.relu() + (x >= 1), lambda grad_y, x: grad_y * (x > 0))
    report = crosscheck(candidate, inputs=(x,), precision="native", vary=False)
    assert report.verdict == "cannot tell", str(report)


@pytest.mark.parametrize("entries", [4, 20])
def test_a_right_relu_at_zero_is_right_in_float32(entries: int) -> None:
    for seed in range(4):
        x = torch.randn(entries, generator=seeded(seed))
        x[:3] = 0
        assert_right(torch.relu, None, (x,), precision="native", vary=False, seed=seed)


def nearly_at_kinks(seed: int) -> Tensor:
    """Zeros, and entries so near to 0 that in float32 no step settles along all of them."""
    x = torch.randn(20, generator=seeded(seed))
    x[:3], x[3:6] = 0, torch.tensor([-0.02, 0.03, -0.01])
    return x


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("slope", [-0.5, 1.5, 7.0])
def test_a_slope_outside_is_not_right_where_each_entry_is_asked(slope: float, seed: int) -> None:
    x, options = nearly_at_kinks(seed), {"precision": "native", "vary": False, "seed": seed}
    assert_right(relu_with_slope_at_zero(0.0), None, (x,), **options)
    report = crosscheck(relu_with_slope_at_zero(slope), inputs=(x,), **options)
    assert report.verdict != "right", str(report)


@pytest.mark.parametrize("seed", range(3))
def test_a_sum_over_ties_is_asked_where_each_entry_is(seed: int) -> None:
    """Each of two least entries may be given nothing, and both may not."""

    def nothing_to_ties(grad_y: Tensor, x: Tensor) -> Tensor:
        least = x == x.amin(1, keepdim=True)
        return grad_y[:, None] * (least & (least.sum(1, keepdim=True) == 1))

    x = torch.randn(4, 5, generator=seeded(seed))
    x[2, 1] = x[2, 4] = -3
    x[0, :2] = torch.tensor([-3, -2.95])  # near to each other: with seed 1 no step settles
    candidate = of_x(lambda x: x.amin(1), nothing_to_ties)
    assert_wrong(candidate, None, (x,), precision="native", vary=False, seed=seed)


@EITHER
@pytest.mark.parametrize("seed", range(3))
def test_ties_that_are_given_nothing_beside_kinks_are_wrong(seed: int, dtype) -> None:
    """In each row the least value comes twice, and close to it there is a third."""
    x = torch.randn(6, 4, generator=seeded(seed), dtype=dtype)
    x[:, 1] = x[:, 0] = x.amin(1)
    x[:, 2] = x[:, 0] + 0.01

    def to_one_alone(grad_y: Tensor, x: Tensor) -> Tensor:
        least = x == x.amin(1, keepdim=True)
        return grad_y[:, None] * (least & (least.sum(1, keepdim=True) == 1))

    candidate = of_x(lambda x: x.amin(1), to_one_alone)
    assert_wrong(candidate, None, (x,), precision="native", vary=False, seed=seed)


def test_a_wrong_entry_beside_kinks_is_wrong_in_float32() -> None:
    x = torch.randn(20, generator=seeded(0))
    x[:3] = 0
    candidate = of_x(torch.relu, lambda grad_y, x: grad_y * torch.where(x == x.max(), 1.03, x > 0))
    report = assert_wrong(candidate, None, (x,), precision="native", vary=False)
    assert report.findings[0].element == (int(x.argmax()),)


@EITHER
@pytest.mark.parametrize("slope", [-0.25, 1.25, 7.0])
def test_without_a_reference_a_slope_outside_is_not_right(slope: float, dtype) -> None:
    x = ZEROS.to(dtype)
    report = crosscheck(relu_with_slope_at_zero(slope), inputs=(x,), precision="native", vary=False)
    assert report.verdict == "cannot tell", str(report)


@EITHER
@pytest.mark.parametrize("shares", [(1.0, 1.0), (0.5, 0.25), (0.0, 0.0)])
def test_without_a_reference_a_wrong_sum_over_ties_is_wrong(shares, dtype) -> None:
    assert_wrong(shares_of_ties(*shares), None, (TIED.to(dtype),), precision="native", vary=False)


def test_an_error_beside_the_kink_is_not_excused_by_it() -> None:
    def leaky(x):
        return F.leaky_relu(x, 0.1)

    candidate = of_x(leaky, lambda grad_y, x: grad_y * torch.where(x > 0, 1.0, 0.5))
    report = assert_wrong(candidate, leaky, (ZEROS,))
    assert (0,) in {finding.element for finding in report.findings}


def field_of(function, x: Tensor) -> Objective:
    case = case_of(function, x)
    y = function(x)
    return Objective(as_subject(function), case, {0: torch.ones_like(y)}, [torch.zeros_like(x)])


def distance_to_a_half(factor: float) -> type[Rule]:
    """|x − ½|, whose gradient is off by a factor."""

    return of_x(lambda x: (x - 0.5).abs(), lambda grad_y, x: factor * grad_y * (x - 0.5).sign())


@pytest.mark.parametrize("zeros", [0, 1])
@pytest.mark.parametrize("shape", [(4, 5), (40, 50)])
@pytest.mark.parametrize("factor", [1.0, 2.0, 1.01])
def test_a_kink_at_one_entry_excuses_no_other(factor: float, shape: tuple, zeros: int) -> None:
    x = normal(*shape)
    x[0, 0] = 0.5
    x[1, :zeros] = 0.0
    report = crosscheck(distance_to_a_half(factor), inputs=(x,), thorough=False)
    assert report.verdict == ("right" if factor == 1 else "wrong"), str(report)


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("factor", [1.0, 1.01])
def test_among_many_entries_some_of_which_tie(factor: float, slope: float) -> None:
    """What is wrong is wrong where nothing ties, and what ties keeps its convention."""
    relu = relu_with_slope_at_zero(slope)
    scaled = of_x(torch.relu, lambda grad_y, x: factor * relu.gradients(grad_y, x))
    x = normal(60, 70, seed=3).float()
    x[::7, ::5] = 0.0
    for reference in (None, torch.relu):
        report = crosscheck(scaled, reference, (x,), vary=False)
        assert report.verdict == ("right" if factor == 1 else "wrong"), str(report)
        if factor != 1:
            assert x[report.findings[0].element] != 0


@pytest.mark.parametrize(
    ("function", "left", "right"),
    [
        (torch.relu, 0.0, 1.0),
        (torch.abs, -1.0, 1.0),
        (torch.sin, 1.0, 1.0),
        (lambda x: torch.where(x < 0, 3 * x, x.square() - 2 * x), 3.0, -2.0),
    ],
)
def test_one_sided_derivatives(function, left: float, right: float) -> None:
    objective = field_of(function, torch.zeros((), dtype=torch.float64))
    sides = one_sided(objective.line(objective.unit(0, ())))
    assert sides.left == pytest.approx(left, abs=1e-6)
    assert sides.right == pytest.approx(right, abs=1e-6)
    assert sides.kinked == (left != right)


def test_ties_and_zeros_are_seen() -> None:
    assert has_ties([TIED])
    assert has_ties([ZEROS[:2]])
    assert not has_ties([normal(5, 4)])
    assert tied_elements(ties([TIED])[0]) == [(0, 0), (0, 2), (1, 1), (1, 2)]
    assert tied_elements(ties([ZEROS])[0]) == [(1,), (3,)]


def test_along_a_tie_preserving_direction_ties_stay() -> None:
    (direction,) = tie_preserving([TIED], seeded(0))
    moved = TIED + 0.1 * direction
    assert moved[0, 0] == moved[0, 2]
    assert moved[1, 1] == moved[1, 2]
    assert bool((direction != 0).all())
    (still,) = tie_preserving([ZEROS], seeded(0))
    assert (still == 0).tolist() == [False, True, False, True]


@pytest.mark.parametrize("function", [torch.relu, torch.sin, torch.exp, torch.square])
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_one_sided_derivatives_are_never_surer_than_they_can_be(function, size: float) -> None:
    x = size * normal(3, 4) / 50_000 ** (function is torch.exp and size > 1)
    objective = field_of(function, x)
    (cotangent,) = objective.cotangents.values()
    output_size, unit = float((cotangent * function(x)).norm()), float(x.abs().mean())
    least = least_error(output_size, unit)
    for element in ((0, 0), (2, 3)):
        error = one_sided(objective.line(objective.unit(0, element)), unit).error
        assert 0 < least <= error * (1 + 1e-9)


@pytest.mark.parametrize(("error", "verdict"), [(1e-12, "right"), (1e-6, "wrong")])
def test_forwards_are_spent_only_on_what_differences_can_decide(error: float, verdict: str) -> None:
    """Where a network fits, its gradient is a difference of nearly equal numbers, and rough."""
    target = torch.eye(4, dtype=torch.float64)[torch.arange(6) % 4]

    def loss(logits: Tensor) -> Tensor:
        return F.cross_entropy(logits, target)

    counted = Counted(loss)

    def rough(grad_loss: Tensor, logits: Tensor) -> Tensor:
        grad_logits = (torch.softmax(logits, 1) - target) / len(target)
        return grad_loss * grad_logits * (1 + error)

    logits = 12 * target + normal(6, 4)
    report = crosscheck(of_x(counted, rough), loss, (logits,), thorough=False)
    assert report.verdict == verdict, str(report)
    assert (counted.passes < 8) == (verdict == "right")
