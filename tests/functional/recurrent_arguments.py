"""What recurrent cells and layers are called with, in torch's order, as one flat list of leaves."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from tests.functional.side_by_side import normal

GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}
CELLS = [f"{name}_cell" for name in GATES]
FEATURES, HIDDEN = 5, 2


def of_cell(name: str, has_biases: bool = True) -> tuple[Any, ...]:
    """input, hx and parameters of a cell."""
    gates = HIDDEN * GATES[name.removesuffix("_cell")]
    hx: Any = normal(1, 3, HIDDEN)
    if name == "lstm_cell":
        hx = (hx, normal(2, 3, HIDDEN))
    biases = (normal(5, gates), normal(6, gates)) if has_biases else ()
    weights = normal(3, gates, FEATURES), normal(4, gates, HIDDEN)
    return normal(0, 3, FEATURES), hx, *weights, *biases


def of_layers(
    name: str, has_biases: bool, num_layers: int, bidirectional: bool, projection: int = 0
) -> tuple[Any, ...]:
    """input, hx and params over 4 times for a batch of 3."""
    gates, directions = HIDDEN * GATES[name], 1 + bidirectional
    out = projection or HIDDEN
    hx: Any = normal(1, num_layers * directions, 3, out)
    if name == "lstm":
        hx = (hx, normal(2, num_layers * directions, 3, HIDDEN))
    params = []
    for number in range(num_layers * directions):
        inputs = FEATURES if number < directions else out * directions
        params += [normal(10 + number, gates, inputs), normal(20 + number, gates, out)]
        if has_biases:
            params += [normal(30 + number, gates), normal(40 + number, gates)]
        if projection:
            params += [normal(50 + number, out, HIDDEN)]
    return normal(0, 4, 3, FEATURES), hx, params


def flat(arguments: Any) -> list[Tensor]:
    if isinstance(arguments, Tensor):
        return [arguments]
    return [x for each in arguments for x in flat(each)]


def joined(function: Callable[..., Any], arguments: tuple[Any, ...], *rest: Any) -> Callable:
    """The function of all its tensors one after the other, and its outputs as one."""

    def of_flat(*given: Tensor) -> Tensor:
        remaining = iter(given)

        def rebuilt(like: Any) -> Any:
            if isinstance(like, Tensor):
                return next(remaining)
            return type(like)(rebuilt(each) for each in like)

        outputs = function(*(rebuilt(each) for each in arguments), *rest)
        return torch.cat([y.flatten() for y in flat(outputs)])

    return of_flat
