"""The lecture's repository: what the sweep has computed once, by layer and by symbol."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from torchref import nn
from torchref.backprop.stack import Layer
from torchref.errors import InputError


@dataclass(repr=False)
class Repository:
    """Every output y of a layer and every derivative ∂L/∂y that the sweep has computed.

    Both are kept by the layer's name. In the lectures' symbols, the layers with parameters are
    numbered from 1: z(l) is the output of the l-th, a(l) what its activation makes of it (z(l)
    itself where there is none), a(0) the input, and delta(l) = ∂L/∂z(l).

    Raises `InputError` for a level that is not there, and for a derivative that no gradient needed.

    >>> from torchref import nn
    >>> from torchref.backprop import sweep
    >>> network, x, target = nn.SigmoidNetwork((4, 3, 2)), torch.rand(5, 4), torch.rand(5, 2)
    >>> kept = sweep(network, nn.MSELoss(), x, target).repository
    >>> kept.delta(1).shape, kept.outputs["sigmoid1"] is kept.a(1)
    (torch.Size([5, 3]), True)
    """

    x: Tensor
    outputs: dict[str, Tensor] = field(default_factory=dict)
    deltas: dict[str, Tensor] = field(default_factory=dict)
    _levels: tuple[tuple[str, ...], ...] = ((),)

    @classmethod
    def of(cls, layers: Iterable[Layer], x: Tensor) -> "Repository":
        """Empty, for layers still to be visited."""
        levels: list[tuple[str, ...]] = [()]
        for layer in layers:
            if any(parameter is not None for parameter in layer.parameters):
                levels.append(())
            levels[-1] += (layer.name,)
        return cls(x, _levels=tuple(levels))

    def keep_output(self, layer: Layer, y: Tensor) -> None:
        """The layers of the network are kept, those of the loss are not."""
        if any(layer.name in level for level in self._levels):
            self.outputs[layer.name] = y

    def keep_delta(self, layer: Layer, grad_y: Tensor) -> None:
        if layer.name in self.outputs:
            self.deltas[layer.name] = grad_y

    def __repr__(self) -> str:
        shapes = {name: tuple(y.shape) for name, y in {"x": self.x, **self.outputs}.items()}
        return f"Repository(depth={self.depth}, outputs={shapes}, deltas of {len(self.deltas)})"

    @property
    def depth(self) -> int:
        """How many layers have parameters."""
        return len(self._levels) - 1

    def z(self, level: int) -> Tensor:
        return self._kept(self.outputs, "z", level, 1, 0)

    def a(self, level: int) -> Tensor:
        if level == 0 and not self._levels[0]:
            return self.x
        return self._kept(self.outputs, "a", level, 0, -1)

    def delta(self, level: int) -> Tensor:
        return self._kept(self.deltas, "delta", level, 1, 0)

    def _kept(
        self, kept: dict[str, Tensor], symbol: str, level: int, least: int, which: int
    ) -> Tensor:
        if level not in range(least, self.depth + 1):
            raise InputError(
                f"{symbol}(level): level must lie in {least} … {self.depth}",
                f"{level} arrived",
                "Levels count the layers that have parameters; a(0) is the input.",
            )
        name = self._levels[level][which]
        if name not in kept:
            raise InputError(
                f"{symbol}({level}) must have been needed for a gradient",
                f"no parameter at or below {name} requires one",
                "The sweep computes nothing that no gradient needs: unfreeze a parameter there.",
            )
        return kept[name]


def delta_bounds(network: nn.Module, kept: Repository, steepest: float) -> list[float]:
    """|δ⁽ˡ⁾| ≤ sᵈ Π‖W‖ |∂L/∂a⁽ᴸ⁾| over the d layers from l to the end, the first one first.

    `steepest` is s, the largest slope of the activation that follows every linear layer, a quarter
    for the sigmoid; ‖W‖ is the largest singular value, and the weights are those above l.
    Source: the chain rule, with every factor at its largest.

    >>> from torchref.backprop import sweep
    >>> network = nn.SigmoidNetwork((2, 3, 1))
    >>> kept = sweep(network, nn.MSELoss(), torch.rand(4, 2), torch.rand(4, 1)).repository
    >>> first, last = delta_bounds(network, kept, steepest=0.25)
    >>> bool(kept.delta(1).norm() <= first and kept.delta(2).norm() <= last)
    True
    """
    *_, output = kept.outputs
    bound = steepest * kept.deltas[output].norm().item()
    bounds = [bound]
    matrices = [weight.detach() for weight in network.parameters() if weight.dim() == 2]
    for weight in reversed(matrices[1:]):
        bound *= steepest * torch.linalg.matrix_norm(weight, 2).item()
        bounds.insert(0, bound)
    return bounds
