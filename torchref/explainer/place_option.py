"""--weight LEVEL:FROM,TO and --bias LEVEL:NEURON: one entry of a parameter, counted from 1."""

import re
from typing import Any

from torchref import nn
from torchref.errors import InputError


def linear_layers(network: nn.Sequential) -> list[tuple[str, Any]]:
    """Those with parameters, by name; the lectures number them from 1."""
    return [(name, layer) for name, layer in network.named_children() if list(layer.parameters())]


def place_in(
    network: nn.Sequential, weight: str | None, bias: str | None
) -> tuple[str | None, tuple[int, ...] | None]:
    """The parameter and its entry that LEVEL:FROM,TO and LEVEL:NEURON mean."""
    if weight is not None and bias is not None:
        raise InputError("One number is explained", "--weight and --bias were given", "Drop one.")
    layers = linear_layers(network)
    if weight is not None:
        level, source, neuron = figures("--weight", weight, r"(\d+):(\d+),(\d+)", "1:2,1")
        name, layer = layers[within("--weight", "level", level, len(layers))]
        rows, columns = layer.weight.shape
        j = within("--weight", "neuron of that level", neuron, rows)
        return f"{name}.weight", (j, within("--weight", "input of that level", source, columns))
    if bias is not None:
        level, neuron = figures("--bias", bias, r"(\d+):(\d+)", "1:2")
        name, layer = layers[within("--bias", "level", level, len(layers))]
        j = within("--bias", "neuron of that level", neuron, layer.out_features)
        if isinstance(layer, nn.HomogeneousLinear):
            return f"{name}.weight", (j, layer.in_features)
        return f"{name}.bias", (j,)
    return None, None


def figures(option: str, text: str, pattern: str, like: str) -> list[int]:
    match = re.fullmatch(pattern, text)
    if match is None:
        raise InputError(
            f"{option} must look like {like}, with numbers from 1",
            f"{text!r} arrived",
            "The level comes before the colon; a weight goes from an input to a neuron.",
        )
    return [int(figure) for figure in match.groups()]


def within(option: str, what: str, number: int, count: int) -> int:
    """Counted from 0, as torch does."""
    if not 1 <= number <= count:
        raise InputError(
            f"{option}: the {what} must lie in 1 … {count}",
            f"{number} arrived",
            "Levels, neurons and inputs count from 1, as in the lectures.",
        )
    return number - 1
