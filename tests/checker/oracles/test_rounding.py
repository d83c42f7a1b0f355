"""An error of rounding is rough, that of another function is not."""

import pytest
import torch

from tests.checker.given import assert_right, case_of, causes, normal, of_x, run_of, seeded
from tests.corpora.wrong_ops.rule import gradients_of
from torchref import crosscheck
from torchref.checker.oracles.rounding import is_rough, is_rounding_apart, nudged

X = normal(5, 4)


def test_a_nudge_moves_every_entry_by_a_little_of_itself() -> None:
    (moved,) = nudged(case_of(torch.sin, X), 1e-3, seeded(0)).arguments
    relative = ((moved - X) / X).abs()
    assert 4e-4 < float(relative.min()) <= float(relative.max()) < 2e-3


def test_the_same_error_is_smooth_and_another_is_rough() -> None:
    assert not is_rough(X, 1.01 * X)
    assert is_rough(X, normal(5, 4, seed=1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_gradient_of_lost_digits_is_named_by_them(dtype: torch.dtype) -> None:
    def difference_of_two_rounded_numbers(grad_y, x):
        large = 100 * torch.finfo(dtype).eps / torch.finfo(torch.bfloat16).eps
        return 2 * ((x + 1 / large).to(dtype).double() - 1 / large) * grad_y

    cancels = of_x(torch.square, difference_of_two_rounded_numbers)
    assert causes(crosscheck(cancels, torch.square, (1 + X.abs(),)))[0] == "precision-loss"


@gradients_of(lambda x: x - torch.tanh(x))
def Tanhshrink(grad_y, x):
    """x − tanh x, whose slope is tanh² x; torch takes 1 − (1 − tanh² x), 0 to four digits."""
    return grad_y * torch.tanh(x) ** 2


@pytest.mark.parametrize("seed", range(5))
def test_digits_that_the_reference_loses_are_not_the_candidates(seed: int) -> None:
    x = normal(5, 4, seed=seed)
    report = assert_right(Tanhshrink, torch.nn.functional.tanhshrink, (x,), seed=seed)
    assert any("the reference loses digits" in note for note in report.notes)
    swapped = crosscheck(torch.nn.functional.tanhshrink, Tanhshrink, (x,), seed=seed)
    assert swapped.findings[0].cause == "precision-loss", str(swapped)


def test_a_gradient_of_another_function_is_not() -> None:
    approximates = of_x(torch.sin, lambda g, x: g * (torch.cos(x) + 1e-3 * torch.cos(5 * x)))
    assert "precision-loss" not in causes(crosscheck(approximates, torch.sin, (X,)))


def test_what_is_not_finite_or_systematic_is_no_rounding() -> None:
    steeper = of_x(torch.sin, lambda grad_y, x: grad_y * x.cos() * (1 + 1e-12))
    run = run_of(steeper, torch.sin, normal(3, 4))
    (true,) = (g for g in run.true or () if g is not None)
    got = run.claimed[0].clone()
    assert not is_rounding_apart(run, 0, got, true)
    got[1, 2] = torch.nan
    assert not is_rounding_apart(run, 0, got, true)
