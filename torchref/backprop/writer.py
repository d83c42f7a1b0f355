"""Calls as lines of Python, each run once while it is written."""

import re
from typing import Any

import torch
from torch import Tensor

from torchref.backprop.record import Call, Value, replaced

# A Python number is wrapped into a tensor at every call: for these it is done once.
ARITHMETIC = ("add", "sub", "mul", "div")


class Writer:
    """Lines of a function over named tensors that stay and local variables that do not."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.namespace: dict[str, Any] = {}
        self._tensors: dict[Value, Tensor] = {}  # behind every value, in the run while writing
        self._locals: dict[Value, str] = {}
        self._names: dict[int, str] = {}

    def declare(self, value: Value, name: str, tensor: Tensor) -> None:
        """A tensor that stays from run to run; what is in it may change."""
        self._tensors[value] = tensor
        self._constant(name, tensor)

    def declare_local(self, value: Value, name: str, tensor: Tensor) -> None:
        """A tensor that is another one in every run."""
        self._tensors[value] = tensor
        self._locals[value] = name

    def expression(self, argument: Any) -> str:
        if isinstance(argument, Value):
            if argument in self._locals:
                return self._locals[argument]
            return self._constant("constant", self.tensor(argument))
        if isinstance(argument, list | tuple):
            return f"[{', '.join(map(self.expression, argument))}]"
        if argument is None or isinstance(argument, bool | int | float):
            number = repr(argument)
            return f'float("{number}")' if number.lstrip("-") in ("inf", "nan") else number
        return self._constant("constant", argument)

    def tensor(self, value: Value) -> Tensor:
        tensor = value.tensor if value.constant else self._tensors[value]
        assert tensor is not None
        return tensor

    def write(self, call: Call, buffer: Tensor | None) -> None:
        """A view of something that stays is taken now, and costs no line."""
        if call.is_view and not any(value in self._locals for value in call.values):
            self._tensors[call.output] = self._run(call.function, call.args, call.kwargs)
            return
        name, args = call.name, call.args
        if name == "rsub" and len(args) == 2 and not call.kwargs:
            name, args = "sub", (args[1], args[0])
        if name in ARITHMETIC and not call.kwargs:
            args = tuple(self._number_as_tensor(argument, call.output) for argument in args)
        function = getattr(torch, name, None) or getattr(Tensor, name, call.function)
        if buffer is not None and hasattr(torch, name):
            try:
                self._run(function, args, {**call.kwargs, "out": buffer})
            except TypeError:
                pass  # no `out` in this operation: its output is new in every run
            else:
                self._tensors[call.output] = buffer
                out = self._constant("buffer", buffer)
                self._line(name, function, args, call.kwargs, f"out={out}")
                return
        try:
            y = self._run(function, args, call.kwargs)
        except TypeError:
            name, function, args = f"aten_{call.name}", call.function, call.args
            y = self._run(function, args, call.kwargs)
        self.declare_local(call.output, f"t{len(self._locals)}", y)
        self._line(name, function, args, call.kwargs, into=self._locals[call.output])

    def write_copy(self, buffer: Tensor, value: Value) -> None:
        buffer.copy_(self.tensor(value))
        self.lines.append(f"{self._constant('buffer', buffer)}.copy_({self.expression(value)})")

    def _run(self, function: Any, args: Any, kwargs: dict[str, Any]) -> Tensor:
        actual = {name: replaced(argument, Value, self.tensor) for name, argument in kwargs.items()}
        y: Tensor = function(*replaced(args, Value, self.tensor), **actual)
        return y

    def _line(
        self, name: str, function: Any, args: Any, kwargs: dict[str, Any], *out: str, into: str = ""
    ) -> None:
        arguments = [self.expression(argument) for argument in args]
        arguments += [f"{key}={self.expression(argument)}" for key, argument in kwargs.items()]
        call = f"{self._constant(name, function)}({', '.join([*arguments, *out])})"
        self.lines.append(f"{into} = {call}" if into else call)

    def _number_as_tensor(self, argument: Any, like: Value) -> Any:
        if isinstance(argument, Value | bool) or not like.like.is_floating_point():
            return argument
        device = next((x.device for x in self._tensors.values()), None)
        tensor = torch.tensor(argument, dtype=like.like.dtype, device=device)
        return Value(torch.empty((), dtype=like.like.dtype, device="meta"), tensor, constant=True)

    def _constant(self, name: str, constant: Any) -> str:
        """The name under which the function finds what does not change."""
        if id(constant) not in self._names:
            name = identifier(name)
            alike = [other for other in self.namespace if re.fullmatch(rf"{name}(_\d+)?", other)]
            name = f"{name}_{len(alike)}" if alike else name
            self._names[id(constant)] = name
            self.namespace[name] = constant
        return self._names[id(constant)]


def identifier(name: str) -> str:
    return re.sub(r"\W|^(?=\d)", "_", name)
