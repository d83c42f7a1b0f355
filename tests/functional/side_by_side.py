"""A function of torchref and torch's of the same name, on the same inputs."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from tests.ops.catalogue_cases import is_differentiated
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
CONVOLUTIONS = tuple(f"{name}{rank}d" for name in ("conv", "conv_transpose") for rank in (1, 2, 3))
POOLS = tuple(
    f"{name}_pool{rank}d"
    for name in ("max", "avg", "adaptive_max", "adaptive_avg")
    for rank in (1, 2, 3)
)
SIDE_BY_SIDE = (
    "linear",
    "bilinear",
    *ACTIVATIONS,
    "prelu",
    "glu",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "mse_loss",
    "l1_loss",
    "smooth_l1_loss",
    "huber_loss",
    "kl_div",
    "nll_loss",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "multi_margin_loss",
    "cosine_embedding_loss",
    "linear_cross_entropy",
    "softmax",
    "log_softmax",
    "layer_norm",
    "rms_norm",
    "batch_norm",
    "group_norm",
    "instance_norm",
    "normalize",
    "embedding",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "scaled_dot_product_attention",
    *CONVOLUTIONS,
    *POOLS,
)
OF_TORCH = ("gather", "index_add", "index_select", "scatter_add")  # and not of torch.nn.functional


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
        x.detach().requires_grad_(wrt is None or number < wrt) if is_differentiated(x) else x
        for number, x in enumerate(arguments)
    ]
    torch.manual_seed(0)  # of dropout
    y = function(*leaves, **options)
    needed = [x for x in leaves if isinstance(x, Tensor) and x.requires_grad]
    cotangent = normal(99, *y.shape).to(y.device, y.dtype)
    return y.detach(), *torch.autograd.grad(y, needed, cotangent)


def assert_same(mine: tuple[Tensor, ...], torchs: tuple[Tensor, ...]) -> None:
    torch.testing.assert_close(mine, torchs, rtol=1e-12, atol=1e-13, equal_nan=True)


# That are let pass, as a result is rounded to its dtype.
ROUNDINGS = {torch.float32: 4, torch.bfloat16: 2, torch.float16: 2}


def assert_error_at_most_twice_torchs(
    mine: tuple[Tensor, ...],
    torchs: tuple[Tensor, ...],
    truth: tuple[Tensor, ...],
    dtype: torch.dtype,
    roundings: float,
    least: float = 1.0,
) -> None:
    """The largest error each, above some roundings of the largest entry, or of `least`."""
    for one, its, true in zip(mine, torchs, truth, strict=True):
        assert one.dtype == its.dtype == dtype
        if not true.numel() or not true.isfinite().all():
            continue
        if its.isnan().any():
            assert not one.isnan().any()
            continue
        error, torchs_error = ((each.double() - true).abs().max().item() for each in (one, its))
        floor = roundings * torch.finfo(dtype).eps / 2 * max(true.abs().max().item(), least)
        assert error <= 2 * torchs_error + floor, f"{error:.3g} beside torch's {torchs_error:.3g}"
