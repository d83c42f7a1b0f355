"""The entries that make a slope wrong: none that is right is among them."""

import pytest
import torch

from tests.checker.given import normal, of_x, run_of
from torchref import crosscheck
from torchref.checker.oracles.differences import judge_by_differences


def off_at(entries: dict[tuple[int, ...], float], function=torch.sin, slope=torch.cos) -> type:
    """An elementwise function whose gradient is off at some entries."""

    def gradients(grad_y, x):
        grad_x = grad_y * slope(x)
        for entry, error in entries.items():
            if all(index < size for index, size in zip(entry, x.shape, strict=True)):
                grad_x[entry] += error
        return grad_x

    return of_x(function, gradients)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("error", [1.0, 1e-5, 1e-8])
@pytest.mark.parametrize("entries", [[(1, 2)], [(0, 0), (4, 3)]])
def test_the_wrong_entries_are_marked_and_no_other(error: float, entries: list, seed: int) -> None:
    run = run_of(off_at(dict.fromkeys(entries, error)), None, normal(5, 4), seed=seed)
    (fault,) = judge_by_differences(run).faults
    assert [tuple(map(int, place)) for place in fault.wrong.nonzero()] == sorted(entries)
    assert fault.got_value == pytest.approx(fault.true_value + error, abs=error / 10)


@pytest.mark.parametrize("entries", [[(1, 2)], [(0, 0), (4, 3)]])
def test_of_errors_at_the_edge_of_sight_those_seen_are_the_right_entries(entries: list) -> None:
    """1e-10 is seen along four or seven of ten directions; along none is another entry blamed."""
    candidate, seen = off_at(dict.fromkeys(entries, 1e-10)), 0
    for seed in range(20):
        for fault in judge_by_differences(run_of(candidate, None, normal(5, 4), seed=seed)).faults:
            seen += 1
            assert [tuple(map(int, place)) for place in fault.wrong.nonzero()] == sorted(entries)
    assert seen


def test_entries_of_magnitudes_far_apart_are_heard_at_steps_of_their_own() -> None:
    """1/x at 1e-9 beside 100: steps that suit the one leap over the other's pole."""
    x = torch.tensor([1e-9, 100.0, -30.0, 2.0], dtype=torch.float64)
    report = crosscheck(torch.reciprocal, None, (x,))
    assert report.verdict in ("right", "cannot tell"), str(report)


@pytest.mark.parametrize("seed", range(5))
def test_an_entry_that_is_wrong_stays_accused_beside_them(seed: int) -> None:
    x = torch.tensor([1e-2, 100.0, -30.0, 2.0], dtype=torch.float64)
    candidate = off_at({(3,): 10.0}, torch.reciprocal, lambda x: -1 / x**2)
    result = judge_by_differences(run_of(candidate, None, x, seed=seed))
    assert [fault.element for fault in result.faults] == [(3,)]


def test_a_single_number_can_be_the_wrong_entry() -> None:
    (fault,) = judge_by_differences(run_of(off_at({(): 1e-3}), None, normal())).faults
    assert fault.element == ()


def test_of_many_entries_one_is_found_by_halving() -> None:
    run = run_of(off_at({(17, 5): 1e-3}), None, normal(60, 50))
    (fault,) = judge_by_differences(run).faults
    assert fault.element == (17, 5)
    assert fault.true is None


def test_nan_where_the_forward_is_smooth_is_wrong_in_float32_by_few_digits() -> None:
    """Beside 100 float32 leaves of the slope of a sine three digits, by which no step settles."""
    candidate = off_at({(1, 2): torch.nan}, lambda x: 100 + x.sin())
    x = normal(5, 4).float()
    report = crosscheck(candidate, inputs=(x,), precision="native", vary=False)
    assert [finding.element for finding in report.findings] == [(1, 2)], str(report)
