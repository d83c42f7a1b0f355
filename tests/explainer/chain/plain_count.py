"""The graph of a network walked edge by edge, with nothing shared with the explainer."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from torchref import nn

Edge = tuple[object, ...]


@dataclass(frozen=True)
class Walk:
    """The edges of every path of one parameter entry, from the loss back."""

    parameter: str
    entry: tuple[int, ...]
    paths: tuple[tuple[Edge, ...], ...]


def walks(network: nn.Sequential) -> Iterator[Walk]:
    """Every entry in the order of the sweep: last layer first, neuron by neuron, bias last."""
    layers = list(network.named_children())
    linear = [number for number, (_, layer) in enumerate(layers) if list(layer.parameters())]
    for number in reversed(linear):
        name, layer = layers[number]
        outputs, inputs = layer.weight.shape
        for j in range(outputs):
            entries = [(f"{name}.weight", (j, i)) for i in range(inputs)]
            if getattr(layer, "bias", None) is not None:
                entries.append((f"{name}.bias", (j,)))
            for parameter, entry in entries:
                yield Walk(parameter, entry, tuple(paths(layers, number, j, (parameter, entry))))


def paths(
    layers: list[tuple[str, nn.Module]], start: int, j: int, own: Edge
) -> Iterator[tuple[Edge, ...]]:
    above = range(start + 1, len(layers))
    widths = [
        range(layer.out_features) if list(layer.parameters()) else (None,)
        for layer in (layers[number][1] for number in above)
    ]
    for choice in product(*widths):
        at, edges = j, [own]
        for number, to in zip(above, choice, strict=True):
            edges.append((number, at, at if to is None else to))
            at = at if to is None else to
        yield (("loss", at), *reversed(edges))


def multiplications_without_reuse(network: nn.Sequential) -> int:
    """Each path of each parameter on its own; the last factor of a bias is 1 and costs nothing."""
    total = 0
    for walk in walks(network):
        layer = network.get_submodule(walk.parameter.rpartition(".")[0])
        bias = len(walk.entry) == 1 or walk.entry[1] == getattr(layer, "in_features", -1)
        total += sum(len(edges) - 1 - bias for edges in walk.paths)
    return total
