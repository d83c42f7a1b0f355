"""The derivative of each op as a formula in the lectures' symbols.

The ops themselves compute the values; the tests evaluate every formula against them.
"""

from collections.abc import Callable
from typing import Any

from torchref import ops

# An activation in its net input z, and its derivative in z and its value a.
VALUES: dict[Any, str] = {ops.Sigmoid: "σ({z})", ops.Tanh: "tanh({z})", ops.ReLU: "max({z}, 0)"}
SLOPES: dict[Any, str] = {
    ops.Sigmoid: "{a}(1 − {a})",
    ops.Tanh: "1 − {a}·{a}",
    ops.ReLU: "[{z} > 0]",
}


def squared_error_slope(target: str, output: str, divisor: int, _: str) -> str:
    match divisor:
        case 1:
            return f"2({output} − {target})"
        case 2:
            return f"−({target} − {output})"
        case _:
            return f"2/{divisor} · ({output} − {target})"


def log_loss_slope(target: str, output: str, divisor: int, _: str) -> str:
    return share(divisor) + f"−({target} − {output})/({output}(1 − {output}))"


def logits_slope(target: str, output: str, divisor: int, pos_weight: str) -> str:
    if not pos_weight:
        return share(divisor) + f"(σ({output}) − {target})"
    positive = f"{pos_weight}·{target}·(σ({output}) − 1)"
    return share(divisor) + f"({positive} + (1 − {target})·σ({output}))"


def cross_entropy_slope(target: str, likely: str, divisor: int, whole: str) -> str:
    """ŷ being the softmax of the outputs; `whole` is what the targets add up to, if not to 1."""
    weighed = f"{whole}·{likely}" if whole else likely
    return share(divisor) + f"({weighed} − {target})"


def share(divisor: int) -> str:
    return "" if divisor == 1 else f"1/{divisor} · "


# The derivative of a loss by an output, for a divisor of its `Reduction`.
LOSS_SLOPES: dict[Any, Callable[[str, str, int, str], str]] = {
    ops.SquaredError: squared_error_slope,
    ops.LogLoss: log_loss_slope,
    ops.LogLossWithLogits: logits_slope,
}


def without_spread(target: str, output: str, divisor: int) -> str:
    """∂L/∂z of the log loss after a sigmoid, where ŷ(1 − ŷ) has cancelled."""
    return share(divisor) + f"−({target} − {output})"
