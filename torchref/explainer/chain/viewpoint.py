"""One entry of a parameter and one example, and what everything is called from there."""

from dataclasses import dataclass

import torch
from torch import Tensor

from torchref import ops
from torchref.errors import InputError
from torchref.explainer.chain.graph import Graph, Stage
from torchref.explainer.chain.notation import Names, derivative, lowered


@dataclass(frozen=True)
class Place:
    """An entry of a parameter: into neuron j of a stage, from unit i or from the constant 1."""

    name: str
    entry: tuple[int, ...]
    stage: Stage
    j: int
    i: int | None

    def __str__(self) -> str:
        return f"{self.name}[{', '.join(map(str, self.entry))}]"


def place_of(graph: Graph, name: str | None, entry: int | tuple[int, ...] | None) -> Place:
    """Raises `InputError` for a parameter or an entry that is not there."""
    named = {
        graph.stack.names[parameter]: (stage, parameter)
        for stage in graph.stages
        for parameter in stage.layer.parameters
        if parameter is not None
    }
    name = next(iter(named)) if name is None else name
    if name not in named:
        raise InputError(
            f"explain: the parameter must be one of {', '.join(named)}",
            f"{name!r} arrived",
            "These are the names of network.named_parameters().",
        )
    stage, parameter = named[name]
    if entry is None:
        entry = (0,) * parameter.dim()
    entry = (entry,) if isinstance(entry, int) else tuple(entry)
    fits = len(entry) == parameter.dim() and all(
        index in range(size) for index, size in zip(entry, parameter.shape, strict=True)
    )
    if not fits:
        last = ", ".join(str(size - 1) for size in parameter.shape)
        raise InputError(
            f"explain: an entry of {name} must lie in {', '.join('0' for _ in parameter.shape)} "
            f"… {last}",
            f"{entry} arrived",
            f"{name} has shape {tuple(parameter.shape)}, and entries count from 0.",
        )
    j, i = entry[0], entry[1] if len(entry) == 2 else None
    if stage.layer.op is ops.HomogeneousAffine and i == stage.slopes.shape[1]:
        i = None  # the last column multiplies the constant 1
    return Place(name, entry, stage, j, i)


LOSSES_OF_LOGITS = (ops.LogLossWithLogits, ops.SoftmaxCrossEntropy)


@dataclass(frozen=True, eq=False)
class Viewpoint:
    """Where the chain rule is looked at from: the place is the parameter's entry."""

    graph: Graph
    names: Names
    place: Place
    example: int

    @property
    def above(self) -> tuple[Stage, ...]:
        """The stages between the place and the loss."""
        return self.graph.stages[self.graph.stages.index(self.place.stage) + 1 :]

    def symbol(self, stage: Stage | None, j: int) -> str:
        """The name of neuron j after a stage, or of input j."""
        if stage is None:
            return self.names.input(j)
        last, notation = stage is self.graph.stages[-1], self.names.notation
        logits = self.graph.stack.pointwise_loss.op in LOSSES_OF_LOGITS
        if last and notation.output and not (logits and stage.is_affine):
            return self.names.output(j)
        if stage.is_affine:
            return self.names.net(stage.level, j)
        return self.names.activation(stage.level, j, stage.times)

    def probability(self, k: int) -> str:
        """The name of what the softmax makes of output k."""
        return self.names.output(k) if self.names.notation.output else f"p{lowered(k + 1)}"

    def parameter(self) -> str:
        stage, j, i = self.place.stage, self.place.j, self.place.i
        return self.bias(stage, j) if i is None else self.names.weight(stage.level, i, j)

    def bias(self, stage: Stage, j: int) -> str:
        """The symbol of the bias of a neuron; nothing where it has none."""
        if stage.layer.op is ops.HomogeneousAffine:
            return self.names.weight(stage.level, stage.slopes.shape[1], j)
        return self.names.bias(stage.level, j) if stage.layer.parameters[1] is not None else ""

    def gradient(self) -> str:
        return derivative(self.names.notation.loss, self.parameter())

    def multiplied(self) -> Tensor:
        """What the parameter is multiplied with, in every example."""
        i, before = self.place.i, self.graph.before(self.place.stage)
        return torch.ones_like(before[:, 0]) if i is None else before[:, i]

    def number(self, tensor: Tensor, j: int) -> float:
        return float(tensor[self.example, j])
