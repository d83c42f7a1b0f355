"""Each kind of wrong gradient does what it is called, and a cross-check sees all of them."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import Function

from torchref import crosscheck
from torchref.testing.mutation.kinds import KINDS, MISSING, OVERWRITTEN, wrong_backward
from torchref.testing.mutation.planting import planted
from torchref.testing.mutation.target import target_of


class Scale(Function):
    """Each row of x times a factor of its column."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, factor: Tensor) -> Tensor:
        ctx.save_for_backward(x, factor)
        return x * factor

    @staticmethod
    def backward(ctx: Any, grad_y: Tensor) -> tuple[Tensor, Tensor]:
        x, factor = ctx.saved_tensors
        return grad_y * factor, (grad_y * x).sum(0)


def gradients(kind: str, argument: int, cotangent: Tensor) -> tuple[Tensor | None, ...]:
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    factor = torch.tensor([5.0, 7.0], requires_grad=True)
    with planted({target_of(Scale).name: wrong_backward((kind, argument, 0))}.get):
        y = Scale.apply(x, factor)
        return torch.autograd.grad(y, (x, factor), cotangent, allow_unused=True)


@pytest.mark.parametrize(
    ("kind", "argument", "expected"),
    [
        ("scaled by 1.01", 1, [1.01 * 31, 1.01 * 44]),
        ("sign", 1, [-31.0, -44.0]),
        ("zero", 1, [0.0, 0.0]),
        ("missing", 1, None),
        ("ones in place of grad_output", 1, [4.0, 6.0]),
        ("transposed", 1, [44.0, 31.0]),
        ("transposed", 0, [[5.0, 50.0], [14.0, 70.0]]),
        ("dropped reduction", 1, [1.0, 4.0]),
        ("one wrong element", 1, [31.0, 44.0 + 37.5]),
    ],
)
def test_one_gradient_is_wrong_and_the_other_is_right(
    kind: str, argument: int, expected: list[Any] | None
) -> None:
    cotangent = torch.tensor([[1.0, 2.0], [10.0, 10.0]])
    got = list(gradients(kind, argument, cotangent))
    wrong = got.pop(argument)
    assert (wrong is None) == (expected is None)
    if wrong is not None:
        torch.testing.assert_close(wrong, torch.tensor(expected))
    right = cotangent * torch.tensor([5.0, 7.0]), torch.tensor([31.0, 44.0])
    torch.testing.assert_close(got[0], right[1 - argument])


def test_grad_output_is_overwritten_after_a_right_backward() -> None:
    cotangent = torch.ones(2, 2)
    got = gradients(OVERWRITTEN, 0, cotangent)
    torch.testing.assert_close(got[1], torch.tensor([4.0, 6.0]))
    torch.testing.assert_close(cotangent, torch.full((2, 2), 2.0))


def test_an_expanded_grad_output_is_left_alone() -> None:
    got = gradients(OVERWRITTEN, 0, torch.ones(()).expand(2, 2))
    torch.testing.assert_close(got[1], torch.tensor([4.0, 6.0]))


def test_a_change_that_fails_leaves_the_call_right() -> None:
    class Refuses(Scale):
        @staticmethod
        def backward(ctx: Any, grad_y: Tensor) -> tuple[Tensor, Tensor]:
            assert not bool((grad_y == 1).all())
            return Scale.backward(ctx, grad_y)

    x = torch.ones(2, 2, requires_grad=True)
    around = wrong_backward(("ones in place of grad_output", 0, None))
    with planted({target_of(Refuses).name: around}.get):
        y = Refuses.apply(x, torch.ones(2))
        y.backward(torch.full((2, 2), 3.0))
    torch.testing.assert_close(x.grad, torch.full((2, 2), 3.0))


@pytest.mark.parametrize("kind", KINDS)
def test_a_cross_check_sees_it(kind: str) -> None:
    inputs = torch.randn(4, 3, dtype=torch.float64), torch.randn(3, dtype=torch.float64)
    with planted({target_of(Scale).name: wrong_backward((kind, 1, 0))}.get):
        report = crosscheck(Scale, torch.mul, inputs)
    assert report.verdict == "wrong"


def test_missing_is_another_mistake_than_zero() -> None:
    x = torch.ones(2, 2)
    with planted({target_of(Scale).name: wrong_backward((MISSING, 1, None))}.get):
        factor = torch.ones(2, requires_grad=True)
        Scale.apply(x, factor).sum().backward()
    assert factor.grad is None
