"""A function of torchref and torch's of the same name, on the same inputs."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from tests.random_inputs import seeded
from torchref.catalogue import entry

ACTIVATIONS = (  # of one tensor, entry by entry
    "elu",
    "gelu",
    "hardsigmoid",
    "hardswish",
    "leaky_relu",
    "logsigmoid",
    "mish",
    "relu",
    "selu",
    "sigmoid",
    "silu",
    "softplus",
    "tanh",
)
SIDE_BY_SIDE = (
    "linear",
    *ACTIVATIONS,
    "prelu",
    "glu",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "mse_loss",
    "layer_norm",
    "rms_norm",
    "batch_norm",
    "group_norm",
    "instance_norm",
    "normalize",
)


def normal(seed: int, *shape: int) -> Tensor:
    return entry.normal(seeded(seed), *shape)


def chance(seed: int, *shape: int) -> Tensor:
    """Probabilities in [0.1, 0.9]."""
    return entry.chance(seeded(seed), *shape)


def value_and_gradients(
    function: Callable[..., Tensor], *arguments: Any, wrt: int | None = None, **options: Any
) -> tuple[Tensor, ...]:
    """The value, and the gradients of the first `wrt` tensors (all) under a random cotangent."""
    leaves = [
        x.detach().requires_grad_(wrt is None or number < wrt) if isinstance(x, Tensor) else x
        for number, x in enumerate(arguments)
    ]
    y = function(*leaves, **options)
    needed = [x for x in leaves if isinstance(x, Tensor) and x.requires_grad]
    cotangent = normal(99, *y.shape).to(y.device, y.dtype)
    return y.detach(), *torch.autograd.grad(y, needed, cotangent)


def assert_same(mine: tuple[Tensor, ...], torchs: tuple[Tensor, ...]) -> None:
    torch.testing.assert_close(mine, torchs, rtol=1e-12, atol=1e-13, equal_nan=True)
