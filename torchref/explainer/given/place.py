"""A place in a network: an entry of a parameter, counted from 1 as in the lectures."""

import re

from torchref import nn
from torchref.errors import InputError

# How --weight and --bias name one entry of a parameter, counted from 1.
PLACES = {"--weight": (r"(\d+):(\d+),(\d+)", "1:2,1"), "--bias": (r"(\d+):(\d+)", "1:2")}


def place_in(
    network: nn.Sequential, weight: str | None, bias: str | None
) -> tuple[str | None, tuple[int, ...] | None]:
    """The parameter and its entry that LEVEL:FROM,TO or LEVEL:NEURON means; None for neither."""
    if weight is None and bias is None:
        return None, None
    if weight is not None and bias is not None:
        raise InputError("One number is explained", "--weight and --bias were given", "Drop one.")
    option, text = ("--weight", weight) if bias is None else ("--bias", bias)
    pattern, like = PLACES[option]
    match = re.fullmatch(pattern, text or "")
    if match is None:
        raise InputError(
            f"{option} must look like {like}, with numbers from 1",
            f"{text!r} arrived",
            "The level comes before the colon; a weight goes from an input to a neuron.",
        )
    level, *source, neuron = map(int, match.groups())
    layers = [(name, each) for name, each in network.named_children() if [*each.parameters()]]
    name, layer = layers[within(option, "level", level, len(layers))]
    rows, columns = layer.get_parameter("weight").shape
    j = within(option, "neuron of that level", neuron, rows)
    if source:
        return f"{name}.weight", (j, within(option, "input of that level", source[0], columns))
    if isinstance(layer, nn.HomogeneousLinear):
        return f"{name}.weight", (j, layer.in_features)
    return f"{name}.bias", (j,)


def within(option: str, what: str, number: int, count: int) -> int:
    """Counted from 0, as torch does."""
    if not 1 <= number <= count:
        raise InputError(
            f"{option}: the {what} must lie in 1 … {count}",
            f"{number} arrived",
            "Levels, neurons and inputs count from 1, as in the lectures.",
        )
    return number - 1
