"""What `intercept` sees: each application of a Function, however the program calls it."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import Function

from torchref.auditor.interception import intercept


class Square(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, grad_y: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return 2 * x * grad_y


class Scale(Function):
    @staticmethod
    def forward(x: Tensor, factor: float = 2.0) -> Tensor:
        return factor * x

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.factor = inputs[1]

    @staticmethod
    def backward(ctx: Any, grad_y: Tensor) -> tuple[Tensor, None]:
        return ctx.factor * grad_y, None


kept = Square.apply  # before anything intercepts, as modules hold it


@torch.library.custom_op("interception::cube", mutates_args=())
def cube(x: Tensor) -> Tensor:
    return x * x * x


cube.register_autograd(
    lambda ctx, grad_y: 3 * ctx.saved_tensors[0] ** 2 * grad_y,
    setup_context=lambda ctx, inputs, output: ctx.save_for_backward(*inputs),
)


@pytest.fixture
def seen() -> Iterator[list[str]]:
    names: list[str] = []

    def note(function: type[Function], apply: Any, *args: Any, **kwargs: Any) -> Any:
        names.append(f"{function.__name__}{list(kwargs.values()) or ''}")
        return apply(*args, **kwargs)

    with intercept(note):
        yield names


def x() -> Tensor:
    return torch.tensor([1.0, 2.0, 3.0], requires_grad=True)


def test_kept_methods_are_seen(seen: list[str]) -> None:
    kept(x()).sum().backward()
    Square.apply(x())
    assert seen == ["Square", "Square"]


def test_both_styles_and_keywords_are_seen(seen: list[str]) -> None:
    y = Scale.apply(x(), factor=3.0)
    assert seen == ["Scale[3.0]"]
    assert y.tolist() == [3.0, 6.0, 9.0]


def test_other_threads_are_seen(seen: list[str]) -> None:
    thread = threading.Thread(target=kept, args=(x(),))
    thread.start()
    thread.join()
    assert seen == ["Square"]


def test_transforms_are_seen(seen: list[str]) -> None:
    gradient = torch.func.grad(lambda x: Scale.apply(x).sum())(torch.ones(3))
    assert gradient.tolist() == [2.0, 2.0, 2.0]
    assert "Scale" in seen


def test_custom_ops_are_seen(seen: list[str]) -> None:
    cube(x()).sum().backward()
    assert seen == ["GeneratedBackwardFor_interception_cube_default"]


def test_compiled_functions_are_traced_as_ever(seen: list[str]) -> None:
    y = torch.compile(lambda x: kept(x) + 1, backend="aot_eager", fullgraph=True)(x())
    assert y.tolist() == [2.0, 5.0, 10.0]


def test_what_is_returned_is_what_the_caller_gets() -> None:
    with intercept(lambda function, apply, *args: apply(*args) + 1):
        assert kept(x()).tolist() == [2.0, 5.0, 10.0]
    assert kept(x()).tolist() == [1.0, 4.0, 9.0]


def test_two_that_intercept_both_see_it() -> None:
    with intercept(lambda function, apply, *args: apply(*args) + 1):
        with intercept(lambda function, apply, *args: 10 * apply(*args)):
            assert kept(x()).tolist() == [20.0, 50.0, 100.0]
        assert kept(x()).tolist() == [2.0, 5.0, 10.0]


def test_nothing_is_left_behind() -> None:
    code = Function.apply.__func__.__code__
    with pytest.raises(TypeError, match="positional"), intercept(lambda f, apply, *a: apply(*a)):
        Scale.apply(1, 2, 3, 4)
    assert Function.apply.__func__.__code__ is code


def test_whoever_reads_the_frames_of_an_error_finds_their_names() -> None:
    def fail(*_: object) -> None:
        raise ValueError("as a Function does")

    def around(*_: object) -> None:
        fail()

    with intercept(around), pytest.raises(ValueError, match="as a Function does") as raised:
        Square.apply(torch.zeros(3))
    frames = [each.frame.raw for each in raised.traceback]
    names = [set(frame.f_locals) for frame in frames]  # which ended the process once
    assert any({"cls", "args", "kwargs", "__class__"} <= each for each in names)
