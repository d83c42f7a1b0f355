"""What a recorder writes down, what it refuses, and what of it is worth repeating."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from torchref.backprop.record import Call, NotRepeatableError, Recorder, Value, simplified

X = torch.tensor([[0.5, -1.0, 2.0], [3.0, 0.25, -4.0]], dtype=torch.float64)


def recorded(function: Callable[..., tuple[Tensor, ...]], *given: Tensor) -> tuple[list, list]:
    """The calls of a run, and the values that it returns."""
    outside = [(x, Value.of(x)) for x in given]
    with torch.no_grad(), Recorder(outside) as recorder:
        results = function(*given)
    return recorder.calls, [recorder.value(y) for y in results]


def kept(function: Callable[..., tuple[Tensor, ...]], *given: Tensor) -> list[Call]:
    return simplified(*recorded(function, *given))[0]


@pytest.mark.parametrize(
    "function",
    [lambda x: x.mul_(2), lambda x: x + torch.rand(2, 3), lambda x: torch.dropout(x, 0.5, True)],
    ids=["writes in place", "draws numbers", "drops out"],
)
def test_what_would_not_repeat_alike_is_refused(function: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(NotRepeatableError, match="writes in place or draws random numbers"):
        recorded(lambda x: (function(x),), X.clone())


def test_a_tensor_from_nowhere_is_refused() -> None:
    hidden = torch.ones(3)
    with pytest.raises(NotRepeatableError, match=r"shape \(3,\) comes from nowhere"):
        recorded(lambda x: (x + hidden,), X)


def test_the_same_call_is_kept_once() -> None:
    calls = kept(lambda x: (x.sin() * x.sin(),), X)
    assert [call.name for call in calls] == ["sin", "mul"]
    assert len(set(calls[1].values)) == 1


@pytest.mark.parametrize(
    "function",
    [
        lambda n: (n + 1, n + 1.0),
        lambda n: (n * True, n * 1),
        lambda n: (torch.add(n, n, alpha=2), torch.add(n, n, alpha=3)),
        lambda n: (n.sum(0, keepdim=True), n.sum(0, keepdim=True, dtype=torch.float64)),
    ],
    ids=["int and float", "bool and int", "keyword", "dtype"],
)
def test_calls_that_differ_in_an_argument_are_two(function: Callable) -> None:
    assert len(kept(function, torch.arange(6).reshape(2, 3))) == 2


def test_what_nobody_wants_is_left_out() -> None:
    def function(x: Tensor) -> tuple[Tensor]:
        x.exp().sum()
        return (x.cos(),)

    assert [call.name for call in kept(function, X)] == ["cos"]


def test_what_changes_nothing_is_the_value_itself() -> None:
    calls, results = simplified(*recorded(lambda x: (x.view(2, 3).detach().expand(2, 3),), X))
    assert calls == []
    assert results[0].like.shape == X.shape


def test_a_constant_is_computed_once_and_only_where_nothing_in_it_can_change() -> None:
    def function(x: Tensor) -> tuple[Tensor]:
        two = torch.ones(3, dtype=x.dtype) + torch.ones(3, dtype=x.dtype)
        return (x * two,)

    (call,) = kept(function, X)
    assert call.name == "mul"
    first, second = call.values
    assert not first.constant
    assert second.constant
    assert second.tensor is not None
    assert second.tensor.tolist() == [2.0, 2.0, 2.0]
    assert second.tensor.untyped_storage().nbytes() == 8  # one number


@pytest.mark.parametrize(
    "made", [lambda: torch.arange(3.0), lambda: torch.full((3,), math.nan), lambda: torch.ones(0)]
)
def test_a_constant_of_several_numbers_keeps_them(made: Callable[[], Tensor]) -> None:
    *_, call = kept(lambda x: (x[:, : len(made())] * made(),), X)
    constant = call.values[-1].tensor
    assert constant is not None
    torch.testing.assert_close(constant, made(), rtol=0, atol=0, equal_nan=True)
