"""Every derivative of a network at once, and as many steps of the descent as are asked for."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from torchref import nn
from torchref.errors import InputError
from torchref.explainer.chain.graph import Graph, graph_of
from torchref.explainer.chain.notation import Names, Notation
from torchref.explainer.chain.viewpoint import Place, Viewpoint, place_of
from torchref.explainer.charts.sheet import Sheet
from torchref.explainer.document.all_sections import all_sections, verdict_of
from torchref.explainer.document.sections import Section
from torchref.explainer.document.shown import Shown
from torchref.explainer.explanation import (
    Explanation,
    explained,
    require_example,
    require_rate_and_notation,
)
from torchref.functional.admission import require

MOST_DERIVATIVES = 400  # rows of one table; a dozen seconds
MOST_ITERATIONS = 6  # columns of one table


@dataclass(frozen=True, repr=False)
class Derivatives(Shown):
    """What `explain_all` found out: an `Explanation` of every derivative, for each iteration.

    In the order of the sweep: the last level first, and of each neuron the weights and the bias.
    """

    iterations: tuple[tuple[Explanation, ...], ...]

    def sections(self) -> Iterator[Section]:
        return all_sections(self.iterations)

    @property
    def verdict(self) -> str:
        """Right if all are, in every iteration; wrong if one is."""
        return verdict_of([each for found in self.iterations for each in found])

    def drawing(self) -> Sheet:
        """The network of the first iteration with values and gradients, and no path marked."""
        return self.iterations[0][0].drawing(highlight=False)


@torch.inference_mode(False)  # autograd is asked too, wherever the question comes from
@torch.enable_grad()
def explain_all(
    network: nn.Module,
    loss: nn.Module,
    x: Tensor,
    target: Tensor,
    *,
    rate: float = 0.1,
    example: int = 0,
    iterations: int = 1,
    notation: Notation | None = None,
) -> Derivatives:
    """The chain rule for every entry of every parameter, and what they share.

    As `explain`, for all weights and biases: each derivative with its factors and its value, each
    factor with what it was first computed for and what reuses it, and the updates. Several
    `iterations` go on from the updated parameters, by gradient descent with `rate`; the network
    itself stays as it is.

    Raises `InputError` as `explain` does, and for more parameters than a table holds.
    Source: lectures 000 to 004.

    >>> from torchref import nn
    >>> network = nn.SigmoidNetwork((2, 2, 1))
    >>> found = explain_all(network, nn.BCELoss(), torch.rand(2), torch.ones(1))
    >>> len(found.iterations[0]), found.verdict
    (9, 'right')
    >>> [each.parameter for each in found.iterations[0][:3]]
    ['w⁽²⁾₁₁', 'w⁽²⁾₂₁', 'b⁽²⁾']
    """
    require(
        iterations in range(1, MOST_ITERATIONS + 1),
        f"explain_all: iterations must lie in 1 … {MOST_ITERATIONS}",
        f"{iterations} arrived",
        "torchref.training trains a network.",
    )
    require_rate_and_notation(rate, notation)
    found = []
    for _ in range(iterations):
        graph = graph_of(network, loss, x, target)
        require_example(graph, example)
        names = Names(notation or Notation(), graph.sizes)
        found.append(
            tuple(
                explained(Viewpoint(graph, names, place, example), rate, 0, 1)
                for place in places(graph)
            )
        )
        network = graph.stack.network  # the copy that was swept
        with torch.no_grad():
            for each in found[-1]:
                network.get_parameter(each.place.name)[each.place.entry] = each.after
    return Derivatives(tuple(found))


def places(graph: Graph) -> list[Place]:
    """Every entry of every parameter in the order of the sweep."""
    parameters = sum(p.numel() for p in graph.stack.network.parameters())
    if parameters > MOST_DERIVATIVES:
        raise InputError(
            f"All derivatives are shown of networks of at most {MOST_DERIVATIVES} parameters",
            f"this one has {parameters:,}",
            "Explain one of them.",
        )
    found = []
    for stage in reversed([stage for stage in graph.stages if stage.is_affine]):
        names = [graph.stack.names[p] for p in stage.layer.parameters if p is not None]
        shapes = [(name, graph.stack.network.get_parameter(name).shape) for name in names]
        for j in range(stage.slopes.shape[0]):
            for name, shape in shapes:
                entries = [(j,)] if len(shape) == 1 else [(j, i) for i in range(shape[1])]
                found += [place_of(graph, name, entry) for entry in entries]
    return found
