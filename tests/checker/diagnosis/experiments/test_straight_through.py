"""A gradient passed through a forward that moves in steps is told by its name."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tests.checker.given import causes, normal, of_x
from tests.corpora.wrong_ops.rule import Rule, gradients_of
from torchref import crosscheck

X = 3 * normal(4, 5)


def through(steps: Callable[[Tensor], Tensor]) -> type[Rule]:
    """A function whose gradient is said to be that of the identity."""
    return of_x(steps, lambda grad_y, x: grad_y.clone())


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("reference", ["itself", None])
@pytest.mark.parametrize(
    "steps", [torch.round, torch.sign, torch.floor, lambda x: (x > 0).to(x.dtype)]
)
def test_a_gradient_through_steps_is_straight_through(steps, reference, seed: int) -> None:
    x = 2 * normal(4, 5, seed=seed)
    report = crosscheck(through(steps), steps if reference else None, (x,), seed=seed)
    assert causes(report) == ["straight-through"], str(report)
    assert "surrogate=" in str(report)


@pytest.mark.parametrize("seed", range(6))
def test_a_function_that_rounds_to_few_digits_is_not_accused(seed: int) -> None:
    coarse = of_x(
        lambda x: x.bfloat16().to(x.dtype).sin() * 1.1, lambda grad_y, x: 1.1 * grad_y * x.cos()
    )
    report = crosscheck(coarse, None, (2 * normal(4, 5, seed=seed),), seed=seed)
    assert report.verdict == "cannot tell", str(report)


def test_where_steps_lie_close_together_nothing_is_claimed() -> None:
    report = crosscheck(through(torch.round), None, (3 * normal(400, 500),))
    assert report.verdict == "cannot tell", str(report)


def test_a_reference_that_passes_it_too_says_that_it_is_meant() -> None:
    def meant(x: Tensor) -> Tensor:
        return x + (x.round() - x).detach()

    report = crosscheck(through(torch.round), meant, (X,))
    assert (report.verdict, report.findings) == ("right", ())
    assert any("moves in steps" in note for note in report.notes)


def test_what_a_function_does_not_depend_on_has_no_gradient() -> None:
    @gradients_of(lambda x, unused: x.sin())
    def Ignores(grad_y, x, unused):
        return grad_y * x.cos(), grad_y * x.cos()

    (finding,) = crosscheck(Ignores, None, (X, X + 1)).findings
    assert (finding.cause, finding.argument) == ("wrong-elements", "unused")
    assert "does not depend on unused" in finding.evidence


def test_a_mask_forgotten_where_the_function_is_flat_is_no_step() -> None:
    (finding,) = crosscheck(through(torch.relu), None, (X,)).findings
    assert "where x is negative" in finding.evidence


def test_the_step_size_that_is_learnt_along_with_it_is_meant_too() -> None:
    """As in learned step size quantisation (Esser et al. 2020)."""

    @gradients_of(lambda x, size: (x / size).round() * size)
    def Quantised(grad_y, x, size):
        steps = x / size
        return grad_y.clone(), (grad_y * (steps.round() - steps)).sum()

    def meant(x: Tensor, size: Tensor) -> Tensor:
        steps = x / size
        return (steps + (steps.round() - steps).detach()) * size

    size = torch.tensor(0.3, dtype=torch.float64)
    report = crosscheck(Quantised, meant, (X, size), vary=False)
    assert (report.verdict, report.findings) == ("right", ())
    assert any(note.startswith("x, size") and "moves in steps" in note for note in report.notes)
