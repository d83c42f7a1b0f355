"""Under autocast: torch's result dtypes, gradients in the parameters' own, and ops left alone."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import torchref.functional as R
from tests.functional.side_by_side import (
    ACTIVATIONS,
    SIDE_BY_SIDE,
    chance,
    normal,
    value_and_gradients,
)
from tests.ops.catalogue_cases import on_each
from torchref.ops import (
    ELU,
    GEGLU,
    GELU,
    GLU,
    SELU,
    Affine,
    Hardsigmoid,
    Hardswish,
    HomogeneousAffine,
    LeakyReLU,
    LogLoss,
    LogLossWithLogits,
    LogSigmoid,
    Mish,
    PReLU,
    ReLU,
    RMSNorm,
    Sigmoid,
    SiLU,
    SoftmaxCrossEntropy,
    Softplus,
    SquaredError,
    Standardisation,
    SwiGLU,
    Tanh,
    UnitNorm,
)

ARGUMENTS = {
    "linear": (normal(0, 5, 4), normal(1, 3, 4), normal(2, 3)),
    **{name: (normal(0, 5, 3),) for name in ACTIVATIONS},
    "prelu": (normal(0, 5, 3), normal(1, 3)),
    "glu": (normal(0, 5, 4),),
    "binary_cross_entropy": (chance(0, 5, 3), chance(1, 5, 3), chance(2, 3)),
    "binary_cross_entropy_with_logits": (normal(0, 5, 3), chance(1, 5, 3), chance(2, 3)),
    "cross_entropy": (normal(0, 5, 3), chance(1, 5, 3)),
    "mse_loss": (normal(0, 5, 3), normal(1, 5, 3)),
    "layer_norm": (normal(0, 5, 3), (3,), normal(1, 3), normal(2, 3)),
    "rms_norm": (normal(0, 5, 3), (3,), normal(1, 3)),
    "batch_norm": (normal(0, 5, 3), None, None, normal(1, 3), normal(2, 3), True),
    "group_norm": (normal(0, 5, 6), 2, normal(1, 6), normal(2, 6)),
    "instance_norm": (normal(0, 5, 3, 4), None, None, normal(1, 3), normal(2, 3)),
    "normalize": (normal(0, 5, 3),),
}
OPS = {
    "linear": Affine,
    "homogeneous_linear": HomogeneousAffine,
    "elu": ELU,
    "geglu": GEGLU,
    "gelu": GELU,
    "glu": GLU,
    "hardsigmoid": Hardsigmoid,
    "hardswish": Hardswish,
    "leaky_relu": LeakyReLU,
    "logsigmoid": LogSigmoid,
    "mish": Mish,
    "prelu": PReLU,
    "relu": ReLU,
    "selu": SELU,
    "sigmoid": Sigmoid,
    "silu": SiLU,
    "softplus": Softplus,
    "swiglu": SwiGLU,
    "tanh": Tanh,
    "binary_cross_entropy": LogLoss,
    "binary_cross_entropy_with_logits": LogLossWithLogits,
    "cross_entropy": SoftmaxCrossEntropy,
    "squared_error": SquaredError,
    "layer_norm": Standardisation,
    "rms_norm": RMSNorm,
    "batch_norm": Standardisation,
    "group_norm": Standardisation,
    "instance_norm": Standardisation,
    "normalize": UnitNorm,
}


def under_autocast(
    function: Callable[..., Tensor], low: torch.dtype, device: str
) -> Callable[..., Tensor]:
    def called(*arguments: Any) -> Tensor:
        with torch.autocast(device, dtype=low):
            return function(*arguments)

    return called


def assert_as_torch(name: str, arrive: torch.dtype, low: torch.dtype, device: str) -> None:
    arguments = on_each(lambda x: x.to(device, arrive), ARGUMENTS[name])
    mine, torchs = (
        value_and_gradients(under_autocast(function, low, device), *arguments, wrt=2)
        for function in (getattr(R, name), getattr(F, name))
    )
    assert [x.dtype for x in mine] == [x.dtype for x in torchs]
    assert all(gradient.dtype == arrive for gradient in mine[1:])
    # Each rounds its few steps in the lower of the dtypes that meet.
    lowered = name in ("linear", "prelu") and arrive != torch.float64
    lowest = max(torch.finfo(arrive).eps, torch.finfo(low).eps if lowered else 0)
    if name == "hardsigmoid":  # torch's 1/6 is a float32 number whatever arrives
        lowest = max(lowest, torch.finfo(torch.float32).eps)
    for one, its in zip(mine, torchs, strict=True):
        scale = its.abs().max().item()
        torch.testing.assert_close(one, its, rtol=0, atol=4 * lowest * scale)


@pytest.mark.parametrize("arrive", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("name", SIDE_BY_SIDE)
def test_autocast_gives_torchs_dtypes(name: str, arrive: torch.dtype) -> None:
    assert_as_torch(name, arrive, torch.bfloat16, "cpu")


@pytest.mark.cuda
@pytest.mark.parametrize("low", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("arrive", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("name", SIDE_BY_SIDE)
def test_autocast_gives_torchs_dtypes_on_cuda(
    name: str, arrive: torch.dtype, low: torch.dtype
) -> None:
    if name == "binary_cross_entropy":  # torch's refuses there, ours runs in float32
        arguments = on_each(lambda x: x.to("cuda", arrive), ARGUMENTS[name])
        with torch.autocast("cuda", dtype=low):
            y = R.binary_cross_entropy(*arguments)
        assert y.dtype == (torch.float64 if arrive == torch.float64 else torch.float32)
        return
    assert_as_torch(name, arrive, low, "cuda")


@pytest.mark.parametrize("name", OPS)
def test_inside_an_op_autocast_is_off(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA's autocast would run exp, log and sum in float32, behind the back of the op."""
    forward, seen = OPS[name].forward, []

    def watched(*inputs: Any) -> Tensor:
        seen.append(torch.is_autocast_enabled("cpu"))
        return forward(*inputs)

    monkeypatch.setattr(OPS[name], "forward", staticmethod(watched))
    arguments = {
        "homogeneous_linear": (normal(0, 5, 4), normal(1, 3, 5)),
        "squared_error": ARGUMENTS["mse_loss"],
        "swiglu": ARGUMENTS["glu"],
        "geglu": ARGUMENTS["glu"],
    } | ARGUMENTS
    with torch.autocast("cpu", dtype=torch.bfloat16):
        getattr(R, name)(*arguments[name])
    assert seen == [False]


def test_mixed_dtypes_meet_under_autocast() -> None:
    """A layer in float32 takes the bfloat16 of the layer before it."""
    x, weight = normal(0, 5, 4).bfloat16(), normal(1, 3, 4).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert R.linear(x, weight).dtype == torch.bfloat16
        assert R.homogeneous_linear(x, normal(1, 3, 5).float()).dtype == torch.bfloat16
        assert R.mse_loss(x, normal(0, 5, 4).float()).dtype == torch.float32
