"""One run at a case: gradients stay as they were, None is zeros, a refusal has its phase."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tests.checker.given import normal, of_x, run_of
from tests.corpora.wrong_ops.rule import gradients_of
from torchref import InputError, crosscheck
from torchref.checker.execution.run import RefusedError

X = normal(4, 3)


def test_gradients_are_kept_though_their_memory_is_handed_out_again() -> None:
    buffer = torch.empty(4, 3, dtype=torch.float64)
    reuses = of_x(lambda x: x * 2, lambda grad_y, x: buffer.copy_(2 * grad_y))
    run = run_of(reuses, lambda x: x * 2, X)
    run.tape.gradients({0: torch.zeros_like(X)})
    torch.testing.assert_close(run.got[0], run.true[0], rtol=0, atol=0)
    assert run.got[0].any()


def test_both_get_the_same_cotangents_and_another_seed_others() -> None:
    run = run_of(torch.sin, torch.sin, X)
    assert torch.equal(run.got[0], run.true[0])
    assert torch.equal(run_of(torch.sin, None, X).got[0], run.got[0])
    assert not torch.equal(run_of(torch.sin, None, X, seed=1).got[0], run.got[0])


def test_none_is_claimed_as_zeros() -> None:
    run = run_of(lambda x, y: x * 2, lambda x, y: x * 2, X, normal(5))
    assert run.got[1] is None
    assert run.claimed[1].shape == (5,)
    assert not run.claimed[1].any()


@pytest.mark.parametrize(
    ("values", "sense"), [([1.0], True), ([0.0], False), ([1e-200], False), ([2.0, 0.0], False)]
)
def test_what_is_not_finite_or_absurd_makes_no_sense(values: list[float], sense: bool) -> None:
    x = torch.tensor(values, dtype=torch.float64)
    assert run_of(torch.reciprocal, torch.reciprocal, x).makes_sense is sense


def test_a_refusal_says_whose_and_when() -> None:
    def not_of_five(x: Tensor) -> Tensor:
        if x.shape[0] == 5:
            raise ValueError("not five\nreally")
        return x * 1

    @gradients_of(not_of_five)
    def Raises(grad_y, x):
        raise KeyError("gone")

    with pytest.raises(RefusedError) as refusal:
        run_of(Raises, torch.clone, normal(5, 3))
    assert str(refusal.value) == "Raises's forward raised ValueError: not five"
    assert (refusal.value.phase, refusal.value.subject.title) == ("forward", "Raises")
    with pytest.raises(RefusedError) as refusal:
        run_of(Raises, torch.clone, X)
    assert refusal.value.phase == "backward"


def test_bad_input_that_the_candidate_tells_itself_comes_through() -> None:
    def tells(x: Tensor) -> Tensor:
        raise InputError("x must be", "it was not", "Make it.")

    with pytest.raises(InputError, match="x must be, but it was not"):
        run_of(tells, None, X)


@pytest.mark.parametrize("second", [torch.cos, lambda x: x.cos().sum()])
def test_dictionaries_in_another_order_are_no_wrong_forward(
    second: Callable[[Tensor], Tensor],
) -> None:
    def candidate(x: Tensor) -> dict[str, Tensor]:
        return {"sin": torch.sin(x), "second": second(x)}

    def reference(x: Tensor) -> dict[str, Tensor]:
        return {"second": second(x), "sin": torch.sin(x)}

    with pytest.raises(InputError, match=r"candidate returned \['sin'\], \['second'\] and refer"):
        crosscheck(candidate, reference, (X,))
    assert crosscheck(candidate, candidate, (X,)).verdict == "right"


def test_dictionaries_in_another_order_are_told_apart_from_a_wrong_forward() -> None:
    def wrong(x: Tensor) -> dict[str, Tensor]:
        return {"sin": torch.sin(x), "cos": 2 * torch.cos(x)}

    def true(x: Tensor) -> dict[str, Tensor]:
        return {"sin": torch.sin(x), "cos": torch.cos(x)}

    (finding,) = crosscheck(wrong, true, (X,)).findings
    assert finding.cause == "forward-wrong"
