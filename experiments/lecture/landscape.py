"""The cost of a network over a few of its parameters' entries, the others as they are."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor

from torchref import nn
from torchref.backprop import Backprop

Point = tuple[float, ...]


class Landscape:
    """C(w) and its slopes ∂C/∂w at any w, by the sweep over a copy of the network.

    `names` are those of the parameters along which one looks: the first entry of each.

    >>> network = nn.SigmoidNetwork((1, 1)).double()
    >>> x, target = torch.ones(2, 1, 1).double()
    >>> cost = Landscape(network, nn.SquaredError("sum"), x, target, "linear1.weight")
    >>> (slope,) = cost.slopes_at((0.0,))
    >>> slope < 0 < cost.at((-1.0,)) - cost.at((0.0,))
    True
    """

    def __init__(
        self, network: nn.Module, loss: nn.Module, x: Tensor, target: Tensor, *names: str
    ) -> None:
        self._network = copy.deepcopy(network).requires_grad_(False)
        self._parameters = [self._network.get_parameter(name) for name in names]
        for parameter in self._parameters:
            parameter.requires_grad_(True)
        self._step, self._x, self._target = Backprop(self._network, loss), x, target

    def at(self, point: Point) -> float:
        """C(w)."""
        self._go_to(point)
        return self._step(self._x, self._target).item()

    def slopes_at(self, point: Point) -> Point:
        """∂C/∂w, one for each name."""
        self.at(point)
        gradients = (parameter.grad for parameter in self._parameters)
        return tuple(gradient.flatten()[0].item() for gradient in gradients if gradient is not None)

    def descent(self, start: Point, rate: float, steps: int) -> list[Point]:
        """The way from `start`: w ← w − rate ∂C/∂w."""
        path = [start]
        for _ in range(steps):
            slopes = self.slopes_at(path[-1])
            path.append(tuple(w - rate * s for w, s in zip(path[-1], slopes, strict=True)))
        return path

    def over(self, across: Sequence[float], upwards: Sequence[float]) -> Tensor:
        """C over two entries: a row for each value of the second, a column for each of the first.

        Shape: (len(upwards), len(across)).
        """
        rows = [[self.at((one, other)) for one in across] for other in upwards]
        return torch.tensor(rows, dtype=torch.float64)

    def _go_to(self, point: Point) -> None:
        with torch.no_grad():
            for parameter, value in zip(self._parameters, point, strict=True):
                parameter[(0,) * parameter.dim()] = value
