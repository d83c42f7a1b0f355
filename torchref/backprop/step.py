"""The forward and backward half of a training step, for torch's optimisers to finish."""

from typing import Any

import torch
from torch import Tensor

from torchref import nn
from torchref.backprop.program import Program
from torchref.backprop.record import NotRepeatable
from torchref.backprop.stack import Stack
from torchref.backprop.sweep import there_and_back


class Backprop:
    """The sweep as a training step: called with x and target it fills `.grad`.

    Equal to `loss(network(x), target).backward()` after `zero_grad()`, without a tape. For each
    new shape the sweep is unrolled into straight lines over buffers of its own, so that a step
    allocates next to nothing; `.grad` is the same tensor, overwritten, in every step. The
    repository is not kept: that is what `torchref.backprop.sweep` is for.

    Values of x and target (probabilities, for example) are checked when their shape is new. The
    layers are read when `Backprop` is made: make another one after changing them.
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
        self._programs: dict[Any, Program | None] = {}

    def __call__(self, x: Tensor, target: Tensor) -> Tensor:
        """Fill `.grad` of every parameter that requires one, and return the loss."""
        program = self._program(x, target)
        if program is None:
            with torch.no_grad():
                loss, gradients = there_and_back(self._stack, x, target)
        else:
            loss, gradients = program.run(x, target), program.gradients
        for parameter, name in self._stack.names.items():
            parameter.grad = gradients.get(name)
        return loss

    def source(self, x: Tensor, target: Tensor) -> str | None:
        """The straight lines for inputs like these; None where they cannot be unrolled."""
        program = self._program(x, target)
        return program and program.source

    def _program(self, x: Tensor, target: Tensor) -> Program | None:
        held = tuple([(p.data_ptr(), p.requires_grad) for p in self._parameters])
        key = (x.shape, x.stride(), x.dtype, target.shape, target.stride(), target.dtype, held)
        if key not in self._programs:
            self._programs[key] = self._unroll(x, target)
        return self._programs[key]

    def _unroll(self, x: Tensor, target: Tensor) -> Program | None:
        self._stack.admit(x, target)
        try:
            return Program(
                lambda x, target: there_and_back(self._stack, x, target),
                x,
                target,
                self._stack.held,
            )
        except NotRepeatable:
            return None
