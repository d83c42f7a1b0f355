"""The sweep for one shape, unrolled: straight lines of tensor operations into fixed buffers.

The sweep of `sweep.py` asks for layers, contexts and new memory at every step, and for small
networks that is most of the time. Here it runs once while its tensor operations are written
down, so that they come from the very formulas of the ops; what is left of them after
`simplified` becomes one Python function over buffers that stay. `Program.source` shows it.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from torchref.backprop.allot import allot
from torchref.backprop.record import Call, Recorder, Value, simplified
from torchref.backprop.writer import Writer

Sweep = Callable[[Tensor, Tensor], tuple[Tensor, dict[str, Tensor]]]


class Program:
    """run(x, target) gives the loss, and writes the gradients over those of the run before.

    `held` are the tensors that the sweep reads besides x and target, by name. What is in them
    may change from run to run. `gradients` are those of a program for another shape, if there is
    one: their memory serves both.
    Raises `NotRepeatableError` where operations depend on the numbers.
    """

    def __init__(
        self,
        sweep: Sweep,
        x: Tensor,
        target: Tensor,
        held: Mapping[str, Tensor],
        gradients: Mapping[str, Tensor],
    ) -> None:
        x, target = x.detach(), target.detach()  # two tensors, also where one was given twice
        writer = Writer()
        outside = [(x, Value.of(x)), (target, Value.of(target))]
        for (tensor, value), name in zip(outside, ("x", "target"), strict=True):
            writer.declare_local(value, name, tensor)
        for name, tensor in held.items():
            outside.append((tensor, Value.of(tensor)))
            writer.declare(outside[-1][1], name, tensor.detach())

        with torch.no_grad():
            with Recorder(outside) as recorder:
                loss, first = sweep(x, target)
            results = [recorder.value(y) for y in (loss, *first.values())]
            self.gradients = {
                name: gradients[name] if name in gradients else buffer_for(held[name], gradient)
                for name, gradient in first.items()
            }
            del loss, first
            calls, (result, *values) = simplified(recorder.calls, results)
            self._write(writer, calls, result, values, x.device)
        # None of the tensors requires a gradient: autograd need not be asked at every line.
        writer.namespace["below_autograd"] = torch._C._AutoDispatchBelowAutograd
        head = "def run(x, target):\n    with below_autograd():"
        self.source = "\n        ".join([head, *writer.lines])
        exec(compile(self.source, "<unrolled sweep>", "exec"), writer.namespace)
        self.run: Callable[[Tensor, Tensor], Tensor] = writer.namespace["run"]

    def _write(
        self,
        writer: Writer,
        calls: list[Call],
        loss: Value,
        values: list[Value],
        device: torch.device,
    ) -> None:
        made = {call.output for call in calls if not call.is_view} - {loss}
        own: dict[Value, Tensor] = {}
        copied: list[tuple[Tensor, Value]] = []
        for name, buffer in self.gradients.items():
            writer.name(f"grad_{name}", buffer)
        for buffer, value in zip(self.gradients.values(), values, strict=True):
            if value in made and value not in own:
                own[value] = buffer
            else:
                copied.append((buffer, value))
        kept = [loss, *(value for _, value in copied)]
        buffers = allot(calls, own, kept, device)
        for call in calls:
            writer.write(call, buffers.get(call.output))
        for buffer, value in copied:
            writer.write_copy(buffer, value)
        writer.lines.append(f"return {writer.expression(loss)}")


def buffer_for(parameter: Tensor, gradient: Tensor) -> Tensor:
    """The first gradient's own memory, or if it is laid out unlike its parameter new memory."""
    if gradient.is_contiguous() and parameter.is_contiguous() and gradient._base is None:
        return gradient
    return torch.empty_like(parameter.detach())
