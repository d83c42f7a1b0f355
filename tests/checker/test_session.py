"""Oracles that disagree: the forward is wrong or noisy, or the reference is; backward is not."""

import pytest
import torch
from torch import Tensor

from tests.checker.given import assert_right, assert_wrong, causes, normal, of_x, statuses
from tests.corpora.wrong_ops.rule import Rule
from torchref import crosscheck

X = normal(4, 3)


def rule(forward, derivative) -> type[Rule]:
    """An elementwise Function with a forward and a derivative that may not belong together."""
    return of_x(forward, lambda grad_y, x: grad_y * derivative(x))


def noisy_sin(x: Tensor) -> Tensor:
    return torch.sin(x.float()).double()


def times(factor: float) -> type[Rule]:
    """The sine, whose derivative is that many times the true one."""
    return rule(torch.sin, lambda x: torch.cos(x) * factor)


def test_a_wrong_forward_is_told_and_its_backward_is_not_blamed() -> None:
    candidate = rule(lambda x: torch.sin(x) + 0.01 * x, lambda x: torch.cos(x) + 0.01)
    report = crosscheck(candidate, torch.sin, (X,))
    assert causes(report) == ["forward-wrong"]
    assert "the reference's" in report.findings[0].evidence
    assert statuses(report)["gradient by differences"] == "passed"


def test_a_backward_is_judged_by_its_own_forward_where_that_is_wrong() -> None:
    candidate = rule(lambda x: torch.sin(x) + 0.01 * x, torch.cos)  # the reference's derivative
    report = crosscheck(candidate, torch.sin, (X,))
    assert causes(report)[0] == "forward-wrong"
    assert report.findings[1].argument == "x"


def test_a_noisy_forward_is_told_and_its_backward_is_not_blamed() -> None:
    assert causes(crosscheck(rule(noisy_sin, torch.cos), torch.sin, (X,))) == ["forward-noisy"]


def test_a_forward_that_draws_random_numbers_is_noisy() -> None:
    draws = rule(lambda x: torch.sin(x) + 1e-3 * torch.rand_like(x), torch.cos)
    assert causes(crosscheck(draws, torch.sin, (X,)))[0] == "forward-noisy"


def test_a_reference_whose_own_gradient_is_wrong_is_told() -> None:
    (finding,) = assert_right(times(1), times(1.01), (X,)).findings
    assert (finding.cause, finding.argument) == ("reference-wrong", "x")


def test_what_candidate_and_reference_have_wrong_alike_is_the_references() -> None:
    one = times(1.01)
    assert causes(assert_right(one, times(1.01), (X,))) == ["reference-wrong"]
    assert_wrong(one, one, (X,))  # which is no witness


def test_a_candidate_that_is_wrong_otherwise_than_its_reference_is_blamed() -> None:
    assert_wrong(times(1.5), times(1.01), (X,))


def test_without_a_reference_steps_that_do_not_settle_cannot_be_told() -> None:
    report = crosscheck(rule(lambda x: torch.floor(8 * x), torch.zeros_like), None, (normal(40),))
    assert report.verdict == "cannot tell"
    assert statuses(report)["gradient by differences"] == "cannot tell"


def test_a_single_precision_forward_without_a_reference_is_judged_as_far_as_it_goes() -> None:
    assert crosscheck(rule(noisy_sin, torch.cos), None, (X,)).verdict != "wrong"
    assert_wrong(rule(noisy_sin, lambda x: 1.5 * torch.cos(x)), None, (X,))


def test_infinities_that_the_reference_returns_are_no_error() -> None:
    x = torch.tensor([0.0, 0.5, 2.0], dtype=torch.float64)
    assert_right(rule(torch.log, torch.reciprocal), torch.log, (x,))


def test_what_was_tried_and_what_was_skipped_are_both_told() -> None:
    report = crosscheck(times(1), torch.sin, (X,))
    names = [check.name for check in report.checks]
    assert len(names) == len(set(names))
    assert {"contract", "forward", "gradient by reference", "second order"} <= set(names)
    assert all(check.note for check in report.checks if check.status == "skipped")
    assert all(check.worst is None or check.worst <= 1 for check in report.checks)


def test_a_large_case_is_probed_on_a_smaller_one() -> None:
    largest = []

    def candidate(x: Tensor) -> Tensor:
        largest.append(x.numel())
        return torch.sin(x)

    report = assert_right(candidate, torch.sin, (normal(300, 200),))
    assert sum(count == 60_000 for count in largest) <= 40
    assert statuses(report)["variations of the inputs"] == "passed"


@pytest.mark.parametrize("error", [1e-4, 1e-2])
def test_one_entry_among_a_million_is_located_without_a_reference(error: float) -> None:
    def spoilt(grad_y, x):
        gradient = grad_y * (1 - torch.tanh(x) ** 2)
        if gradient.numel() == 10**6:
            gradient[417, 333] += error
        return gradient

    report = assert_wrong(of_x(torch.tanh, spoilt), None, (normal(1000, 1000),))
    assert (report.findings[0].element, report.findings[0].argument) == ((417, 333), "x")
