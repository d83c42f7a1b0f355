"""Only what is wrong in general is planted, whatever cotangents the tests happen to use."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from torchref.testing.mutation.kinds import DROPPED, MISSING, ONES, OVERWRITTEN, SCALED
from torchref.testing.mutation.planting import planted
from torchref.testing.mutation.survey import Seen, Survey
from torchref.testing.mutation.target import target_of


def function(forward: Any, backward: Any) -> type[Function]:
    def kept(ctx: Any, *inputs: Any) -> Any:
        ctx.save_for_backward(*inputs)
        return forward(*inputs)

    members = {"forward": staticmethod(kept), "backward": staticmethod(backward)}
    return type("Made", (Function,), members)


def seen(made: type[Function], *inputs: Tensor) -> Seen:
    survey = Survey()
    name = target_of(made).name
    with planted({name: survey.around(name)}.get):
        y = made.apply(*inputs)
        y.sum().backward()
    return survey.take()[name]


def kinds(of: Seen, argument: int | None) -> set[str]:
    return {kind for kind, about, _ in of.plans if about == argument}


def test_an_elementwise_function_has_no_reduction_and_one_argument() -> None:
    made = function(lambda x: x**2, lambda ctx, grad_y: 2 * ctx.saved_tensors[0] * grad_y)
    found = seen(made, torch.randn(4, 3, requires_grad=True))
    expected = {SCALED, "sign", "zero", ONES, "transposed", "one wrong element"}
    assert kinds(found, 0) == expected  # ones, though y.sum() is nothing else
    assert kinds(found, None) == {OVERWRITTEN}


def test_a_reduction_is_found_in_the_dimension_over_which_it_goes() -> None:
    def backward(ctx: Any, grad_y: Tensor) -> tuple[Tensor, Tensor]:
        x, w = ctx.saved_tensors
        return grad_y * w, (grad_y * x).sum(1, keepdim=True)

    made = function(lambda x, w: x * w, backward)
    found = seen(made, *(torch.randn(4, n, requires_grad=True) for n in (3, 1)))
    assert {plan for plan in found.plans if plan[0] == DROPPED} == {(DROPPED, 1, 1)}
    assert {(MISSING, 0, None), (MISSING, 1, None)} <= found.plans


def test_what_would_be_right_is_not_planted() -> None:
    made = function(lambda x: x.sum(), lambda ctx, g: g.expand_as(ctx.saved_tensors[0]))
    assert "transposed" not in kinds(seen(made, torch.randn(3, 3, requires_grad=True)), 0)
    constant = function(torch.sign, lambda ctx, g: torch.zeros_like(g))
    found = seen(constant, torch.randn(3, requires_grad=True))
    assert kinds(found, 0) == {"one wrong element"}


def test_an_error_within_the_rounding_of_the_numbers_is_not_planted() -> None:
    made = function(lambda x: 3 * x, lambda ctx, grad_y: 3 * grad_y)
    found = seen(made, torch.randn(4, dtype=torch.bfloat16, requires_grad=True))
    assert "sign" in kinds(found, 0)
    assert SCALED not in kinds(found, 0)


def test_a_gradient_that_nobody_asks_for_is_known() -> None:
    made = function(lambda x, w: x * w, lambda ctx, g: (g * ctx.saved_tensors[1], g))
    found = seen(made, torch.randn(3, requires_grad=True), torch.randn(3))
    assert (found.asked, found.unasked) == ({0}, {1})
    assert MISSING not in kinds(found, 0)  # the only gradient: that is `zero`
    assert kinds(found, 1) == set()


def test_a_backward_that_runs_once_only_is_left_alone() -> None:
    def backward(ctx: Any, grad_y: Tensor) -> Tensor:
        assert not hasattr(ctx, "has_run")
        ctx.has_run = True
        return grad_y

    made = function(lambda x: x * 1, backward)
    survey = Survey()
    name = target_of(made).name
    x = torch.randn(3, requires_grad=True)
    before = torch.get_rng_state()
    with planted({name: survey.around(name)}.get):
        y = made.apply(x)
        try:
            y.backward(torch.ones(3))
        except AssertionError:
            pass
        else:
            raise AssertionError("the survey calls it more than once")
    assert torch.equal(before, torch.get_rng_state())
