"""The forward and backward half of a training step, for torch's optimisers to finish."""

from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

import torch
from torch import Tensor

from torchref import nn
from torchref.backprop.program import Program
from torchref.backprop.record import NotRepeatableError
from torchref.backprop.stack import Stack
from torchref.backprop.sweep import there_and_back

MOST_PROGRAMS = 8  # shapes whose lines and buffers are kept, the latest
requires_grad = attrgetter("requires_grad")


class Backprop:
    """The sweep as a training step: called with x and target it fills `.grad`.

    Equal to `loss(network(x), target).backward()` after `zero_grad()`, without a tape. For each
    new shape the sweep is unrolled into straight lines over buffers of its own, so that a step
    allocates next to nothing; `.grad` is the same tensor, overwritten, in every step. The
    repository is not kept: that is what `torchref.backprop.sweep` is for.

    Values of x and target (probabilities, for example) are checked when their shape is new. The
    layers and the loss are read when `Backprop` is made: make another one after changing them.
    Raises `InputError` as `sweep` does.

    >>> from torchref import nn
    >>> network = nn.SigmoidNetwork((4, 3, 2))
    >>> step = Backprop(network, nn.SquaredError())
    >>> optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    >>> x, target = torch.rand(5, 4), torch.rand(5, 2)
    >>> before = step(x, target)
    >>> optimiser.step()
    >>> bool(step(x, target) < before)
    True
    """

    def __init__(self, network: nn.Module, loss: nn.Module) -> None:
        self._stack = Stack(network, loss)
        self._parameters = tuple(self._stack.names)
        self._state: list[Any] = []  # where the parameters lie, how, and whether they learn
        self._programs: dict[Any, Unrolled | None] = {}
        self._gradients: dict[str, Tensor] = {}

    def __repr__(self) -> str:
        layers = tuple(layer.name for layer in self._stack.layers)
        unrolled = [tuple(shape) for shape, *_ in self._programs]
        return f"Backprop(layers={layers}, loss={self._stack.loss}, unrolled={unrolled})"

    def __call__(self, x: Tensor, target: Tensor) -> Tensor:
        """Fill `.grad` of every parameter that requires one, and return the loss."""
        unrolled = self._unrolled(x, target)
        if unrolled is None:
            with torch.no_grad():
                loss, gradients = there_and_back(self._stack, x, target)
            for parameter, name in self._stack.names.items():
                if name in gradients:
                    parameter.grad = gradients[name]
            return loss
        loss = unrolled.program.run(x, target)
        for parameter, gradient in unrolled.gradients:
            parameter.grad = gradient
        return loss

    def source(self, x: Tensor, target: Tensor) -> str | None:
        """The straight lines for inputs like these; None where they cannot be unrolled."""
        unrolled = self._unrolled(x, target)
        return unrolled and unrolled.program.source

    def _unrolled(self, x: Tensor, target: Tensor) -> "Unrolled | None":
        parameters = self._parameters
        state = [
            *map(Tensor.data_ptr, parameters),
            *map(Tensor.stride, parameters),
            *map(requires_grad, parameters),
        ]
        if state != self._state:
            self._programs, self._gradients, self._state = {}, {}, state
        try:
            key = (*layout_of(x), *layout_of(target))
        except AttributeError:  # found out here, a step that has tensors need not be asked
            self._stack.admit(x, target)
            raise
        if key not in self._programs:
            if len(self._programs) == MOST_PROGRAMS:  # each has buffers of its own
                del self._programs[next(iter(self._programs))]
            self._programs[key] = self._unroll(x, target)
        return self._programs[key]

    @torch.inference_mode(False)  # the buffers outlive it
    def _unroll(self, x: Tensor, target: Tensor) -> "Unrolled | None":
        self._stack.admit(x, target)
        try:
            sweep = partial(there_and_back, self._stack)
            program = Program(sweep, x, target, self._stack.held, self._gradients)
        except NotRepeatableError:
            return None
        self._gradients |= program.gradients
        by_name = {name: parameter for parameter, name in self._stack.names.items()}
        return Unrolled(program, [(by_name[name], g) for name, g in program.gradients.items()])


def layout_of(x: Tensor) -> tuple[Any, ...]:
    return x.shape, x.stride(), x.dtype, x.device


class Unrolled(NamedTuple):
    """A program, and the parameters that its gradients belong to."""

    program: Program
    gradients: list[tuple[nn.Parameter, Tensor]]
