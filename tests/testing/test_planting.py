"""A planted backward is met wherever the Function is defined and applied, and gone afterwards."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import Function

from torchref.ops import Sigmoid
from torchref.testing.mutation.planting import planted
from torchref.testing.mutation.target import target_of


class Double(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return 2 * x

    @staticmethod
    def backward(ctx: Any, grad_y: Tensor) -> Tensor:
        return 2 * grad_y


class Inherits(Double):
    pass


class CallsItsParent(Double):
    @staticmethod
    def backward(ctx: Any, grad_y: Tensor) -> Tensor:
        return Double.backward(ctx, grad_y)


class WithVjp(Function):
    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return 2 * x

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        pass

    @staticmethod
    def vjp(ctx: Any, grad_y: Tensor) -> Tensor:
        return 2 * grad_y


kept = Double.apply


@torch.library.custom_op("mutation::double", mutates_args=())
def double(x: Tensor) -> Tensor:
    return 2 * x


double.register_autograd(lambda ctx, grad_y: 2 * grad_y)


@torch.library.custom_op("mutation::double_all", mutates_args=())
def double_all(xs: list[Tensor]) -> Tensor:
    return 2 * torch.stack(xs).sum(0)


double_all.register_autograd(lambda ctx, grad_y: [2 * grad_y])


def slope(call: Any) -> float:
    x = torch.tensor(0.0, requires_grad=True)
    call(x).backward()
    assert x.grad is not None
    return x.grad.item()


def negative(backward: Any, ctx: Any, *grads: Any) -> Any:
    returned = backward(ctx, *grads)
    if isinstance(returned, tuple):
        return tuple(each if each is None else -each for each in returned)
    return -returned


APPLIED = {
    "old style": (Double, Double.apply, 2.0),
    "kept apply": (Double, kept, 2.0),
    "inherited": (Inherits, Inherits.apply, 2.0),
    "calls its parent": (CallsItsParent, CallsItsParent.apply, 2.0),
    "vjp": (WithVjp, WithVjp.apply, 2.0),
    "twin": (Sigmoid, Sigmoid.call, 0.25),
    "below its twin": (Sigmoid, Sigmoid.apply, 0.25),
}


@pytest.mark.parametrize("way", APPLIED)
def test_it_is_met_once(way: str) -> None:
    function, call, right = APPLIED[way]
    assert slope(call) == right
    with planted({target_of(function).name: negative}.get):
        assert slope(call) == -right
    assert slope(call) == right


@pytest.mark.parametrize("call", [double, lambda x: double_all([x])], ids=["tensor", "list"])
def test_a_custom_op_has_it_too(call: Any) -> None:
    assert slope(call) == 2.0
    names = {"mutation::double": negative, "mutation::double_all": negative}
    with planted(names.get):
        assert slope(call) == -2.0
    assert slope(call) == 2.0


def test_a_child_keeps_the_right_backward_of_its_parent() -> None:
    with planted({target_of(Inherits).name: negative}.get):
        assert slope(Double.apply) == 2.0
    with planted({target_of(each).name: negative for each in (Double, Inherits)}.get):
        assert slope(Inherits.apply) == slope(Double.apply) == -2.0


def test_a_function_that_is_defined_later_has_it() -> None:
    def define() -> type[Function]:
        class Late(Double):
            pass

        return Late

    with planted({target_of(define()).name: negative}.get):
        assert slope(define().apply) == -2.0


def test_below_a_transform() -> None:
    with planted({target_of(WithVjp).name: negative}.get):
        assert torch.func.grad(lambda x: Sigmoid.call(x))(torch.tensor(0.0)) == 0.25
    with planted({target_of(Sigmoid).name: negative}.get):
        assert torch.func.grad(Sigmoid.call)(torch.tensor(0.0)) == -0.25


def test_what_a_function_is_known_by() -> None:
    target = target_of(WithVjp)
    assert target.name == f"{__name__}.WithVjp"
    assert (target.file, target.arguments) == (__file__, ("x",))
    assert target_of(Double).arguments == ("x",)
    assert target_of(Double).argument(3) == "argument 3"


def test_what_a_custom_op_is_known_by() -> None:
    seen = []

    def note(name: str) -> None:
        seen.append(name)

    with planted(note):
        double(torch.ones(2, requires_grad=True))
    assert "mutation::double" in seen
    functions = [each for each in Function.__subclasses__() if "mutation_double" in each.__name__]
    by_name = {target_of(each).name: target_of(each) for each in functions}
    assert by_name["mutation::double"].file == __file__
    assert by_name["mutation::double"].arguments == ("x",)
