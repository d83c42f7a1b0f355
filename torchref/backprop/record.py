"""One run of a function, written down as plain tensor operations, and the part of it to repeat."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode


@dataclass(eq=False)
class Value:
    """A tensor of the run. The tensor itself is kept only where it stays from run to run."""

    like: Tensor  # on the meta device: shape, strides and dtype, without entries
    tensor: Tensor | None = None
    constant: bool = False  # depends on nothing that can change

    @classmethod
    def of(cls, x: Tensor) -> "Value":
        return cls(torch.empty_strided(x.shape, x.stride(), dtype=x.dtype, device="meta"))


@dataclass(eq=False)
class Call:
    """output = function(*args, **kwargs), with a `Value` wherever a tensor stood."""

    function: Any  # torch's OpOverload
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    output: Value

    @property
    def name(self) -> str:
        return str(self.function.overloadpacket.__name__)

    @property
    def values(self) -> tuple[Value, ...]:
        return tuple(values_in([*self.args, *self.kwargs.values()]))

    @property
    def is_view(self) -> bool:
        return bool(self.function.is_view) or self.name == "_unsafe_view"

    @property
    def changes_nothing(self) -> bool:
        """A view of a tensor in the shape that it has."""
        if self.name not in ("view", "_unsafe_view", "expand", "alias", "detach"):
            return False
        x, y = self.args[0].like, self.output.like
        return (x.shape, x.stride()) == (y.shape, y.stride())

    @property
    def is_pointwise(self) -> bool:
        return torch.Tag.pointwise in self.function.tags


def values_in(arguments: Iterable[Any]) -> Iterator[Value]:
    for argument in arguments:
        if isinstance(argument, Value):
            yield argument
        elif isinstance(argument, list | tuple):
            yield from values_in(argument)


def replaced(argument: Any, kind: type, by: Any) -> Any:
    """The argument with by(x) for every x of the kind, also within lists."""
    if isinstance(argument, kind):
        return by(argument)
    if isinstance(argument, list | tuple):
        return type(argument)(replaced(part, kind, by) for part in argument)
    return argument


class NotRepeatableError(Exception):
    """The run did something that might come out otherwise on other numbers."""


class Recorder(TorchDispatchMode):
    """Writes down what runs inside it, and keeps no tensor alive that the run lets go.

    `outside` are the tensors that the run starts from. Any other tensor that turns up was made
    where the recorder could not see how.
    """

    def __init__(self, outside: Iterable[tuple[Tensor, Value]]) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self._outside = {id(x): (x, value) for x, value in outside}

    def value(self, x: Tensor) -> Value:
        if id(x) in self._outside:
            return self._outside[id(x)][1]
        value = getattr(x, "_torchref_value", None)
        if not isinstance(value, Value):
            raise NotRepeatableError(f"a tensor of shape {tuple(x.shape)} comes from nowhere")
        return value

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func._schema.is_mutable or torch.Tag.nondeterministic_seeded in func.tags:
            raise NotRepeatableError(f"{func} writes in place or draws random numbers")
        y = func(*args, **kwargs)
        if not isinstance(y, Tensor):
            raise NotRepeatableError(f"{func} gives a {type(y).__name__}, not one tensor")
        args, kwargs_values = replaced((args, tuple(kwargs.values())), Tensor, self.value)
        output = Value.of(y)
        y._torchref_value = output  # type: ignore[attr-defined]  # a tensor takes any name
        self.calls.append(Call(func, args, dict(zip(kwargs, kwargs_values, strict=True)), output))
        return y


def simplified(calls: Iterable[Call], wanted: Iterable[Value]) -> tuple[list[Call], list[Value]]:
    """The calls that `wanted` needs, and the values that stand for `wanted` among them."""
    same: dict[Value, Value] = {}
    seen: dict[Any, Value] = {}
    kept: list[Call] = []

    def first(value: Value) -> Value:
        return same.get(value, value)

    for call in calls:
        args, kwargs = (replaced(part, Value, first) for part in (call.args, call.kwargs))
        key = (call.function, identity(args), identity(list(kwargs.items())))
        if call.changes_nothing:
            same[call.output] = args[0]
            continue
        if key in seen:
            same[call.output] = seen[key]
            continue
        seen[key] = call.output
        call = replace(call, args=args, kwargs=kwargs)
        if all(value.constant for value in call.values):
            call.output.tensor, call.output.constant = evaluated(call), True
        else:
            kept.append(call)

    results = [first(value) for value in wanted]
    needed = set(results)
    for call in reversed(kept):
        if call.output in needed:
            needed.update(call.values)
    return [call for call in kept if call.output in needed], results


def identity(argument: Any) -> Any:
    """What two arguments share exactly if they are the same. 1, 1.0 and True are not."""
    if isinstance(argument, list | tuple):
        return tuple(map(identity, argument))
    return argument if isinstance(argument, Value) else (type(argument), argument)


def evaluated(call: Call) -> Tensor:
    """The result; where it is one number everywhere it takes the room of one."""
    args = replaced(call.args, Value, lambda value: value.tensor)
    y: Tensor = call.function(*args, **call.kwargs)
    first = y.flatten()[:1].clone()
    return first.expand_as(y) if y.numel() > 1 and bool((y == first).all()) else y
