"""Oracles that disagree: the forward is wrong or noisy, or the reference is; backward is not."""

import pytest
import torch
from torch import Tensor

from tests.checker.given.runs import normal
from tests.corpora.wrong_ops.rule import SavesInputs, gradients_of
from torchref import Report, crosscheck


def rule(forward, derivative) -> type[SavesInputs]:
    """An elementwise Function with a forward and a derivative that may not belong together."""

    class Rule(SavesInputs):
        @staticmethod
        def backward(ctx, grad_y):
            (x,) = ctx.saved_tensors
            return grad_y * derivative(x)

    Rule.forward = staticmethod(lambda x: forward(x))
    return Rule


def causes(report: Report) -> list[str]:
    return [finding.cause for finding in report.findings]


def status(report: Report, name: str) -> str:
    return {check.name: check.status for check in report.checks}[name]


def noisy_sin(x: Tensor) -> Tensor:
    return torch.sin(x.float()).double()


def test_a_wrong_forward_is_told_and_its_backward_is_not_blamed() -> None:
    candidate = rule(lambda x: torch.sin(x) + 0.01 * x, lambda x: torch.cos(x) + 0.01)
    report = crosscheck(candidate, torch.sin, (normal(4, 3),))
    assert causes(report) == ["forward-wrong"]
    assert "the reference's" in report.findings[0].evidence
    assert status(report, "gradient by differences") == "passed"


def test_a_backward_is_judged_by_its_own_forward_where_that_is_wrong() -> None:
    candidate = rule(lambda x: torch.sin(x) + 0.01 * x, torch.cos)  # the reference's derivative
    report = crosscheck(candidate, torch.sin, (normal(4, 3),))
    assert causes(report)[0] == "forward-wrong"
    assert report.findings[1].argument == "x"


def test_a_noisy_forward_is_told_and_its_backward_is_not_blamed() -> None:
    report = crosscheck(rule(noisy_sin, torch.cos), torch.sin, (normal(4, 3),))
    assert causes(report) == ["forward-noisy"]


def test_a_forward_that_draws_random_numbers_is_noisy() -> None:
    def draws(x: Tensor) -> Tensor:
        return torch.sin(x) + 1e-3 * torch.rand_like(x)

    assert causes(crosscheck(rule(draws, torch.cos), torch.sin, (normal(4, 3),)))[0] == (
        "forward-noisy"
    )


def test_a_reference_whose_own_gradient_is_wrong_is_told() -> None:
    @gradients_of(lambda x: torch.sin(x))
    def WrongReference(grad_y, x):
        return grad_y * torch.cos(x) * 1.01

    report = crosscheck(rule(torch.sin, torch.cos), WrongReference, (normal(4, 3),))
    assert report.verdict == "right"
    assert causes(report) == ["reference-wrong"]
    assert report.findings[0].argument == "x"


def test_what_candidate_and_reference_have_wrong_alike_is_the_references() -> None:
    one, other = (rule(torch.sin, lambda x: torch.cos(x) * 1.01) for _ in range(2))
    report = crosscheck(one, other, (normal(4, 3),))
    assert report.verdict == "right"
    assert causes(report) == ["reference-wrong"]
    assert crosscheck(one, one, (normal(4, 3),)).verdict == "wrong"  # which is no witness


def test_a_candidate_that_is_wrong_otherwise_than_its_reference_is_blamed() -> None:
    wrong = rule(torch.sin, lambda x: torch.cos(x) * 1.01)
    worse = rule(torch.sin, lambda x: torch.cos(x) * 1.5)
    report = crosscheck(worse, wrong, (normal(4, 3),))
    assert report.verdict == "wrong"


def test_without_a_reference_steps_that_do_not_settle_cannot_be_told() -> None:
    report = crosscheck(rule(lambda x: torch.floor(8 * x), torch.zeros_like), None, (normal(40),))
    assert report.verdict == "cannot tell"
    assert status(report, "gradient by differences") == "cannot tell"


def test_a_single_precision_forward_without_a_reference_is_judged_as_far_as_it_goes() -> None:
    assert crosscheck(rule(noisy_sin, torch.cos), None, (normal(4, 3),)).verdict != "wrong"
    wrong = rule(noisy_sin, lambda x: 1.5 * torch.cos(x))
    assert crosscheck(wrong, None, (normal(4, 3),)).verdict == "wrong"


def test_infinities_that_the_reference_returns_are_no_error() -> None:
    x = torch.tensor([0.0, 0.5, 2.0], dtype=torch.float64)
    candidate = rule(torch.log, torch.reciprocal)
    assert crosscheck(candidate, torch.log, (x,)).verdict == "right"


def test_what_was_tried_and_what_was_skipped_are_both_told() -> None:
    report = crosscheck(rule(torch.sin, torch.cos), torch.sin, (normal(4, 3),))
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

    report = crosscheck(candidate, torch.sin, (normal(300, 200),))
    assert report.verdict == "right"
    assert sum(count == 60_000 for count in largest) <= 40
    assert status(report, "variations of the inputs") == "passed"


@pytest.mark.parametrize("error", [1e-4, 1e-2])
def test_one_entry_among_a_million_is_located_without_a_reference(error: float) -> None:
    @gradients_of(lambda x: torch.tanh(x))
    def Spoilt(grad_y, x):
        gradient = grad_y * (1 - torch.tanh(x) ** 2)
        if gradient.numel() == 10**6:
            gradient[417, 333] += error
        return gradient

    report = crosscheck(Spoilt, None, (normal(1000, 1000),))
    assert report.verdict == "wrong"
    assert report.findings[0].element == (417, 333)
    assert report.findings[0].argument == "x"
