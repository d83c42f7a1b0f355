"""One entry of a parameter and one example, and what everything is called from there."""

from dataclasses import dataclass

from torch import Tensor

from torchref import ops
from torchref.explainer.chain.graph import Graph, Stage
from torchref.explainer.chain.notation import Names, derivative, lowered
from torchref.explainer.chain.parameter import Place

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

    def number(self, tensor: Tensor, j: int) -> float:
        return float(tensor[self.example, j])
