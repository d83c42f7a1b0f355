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
    CONVOLUTIONS,
    POOLS,
    SIDE_BY_SIDE,
    chance,
    normal,
    value_and_gradients,
)
from tests.ops.catalogue_cases import on_device, on_each
from torchref.ops import (
    ELU,
    GEGLU,
    GELU,
    GLU,
    NLL,
    SELU,
    AbsoluteError,
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    Affine,
    Attention,
    AvgPool,
    Bilinear,
    BlockwiseAttention,
    Convolution,
    CosineEmbedding,
    Dropout,
    Embedding,
    Gather,
    Hardsigmoid,
    Hardswish,
    HingeEmbedding,
    HomogeneousAffine,
    HuberError,
    IndexAdd,
    IndexSelect,
    KLDivergence,
    LeakyReLU,
    LinearCrossEntropy,
    LogLoss,
    LogLossWithLogits,
    LogSigmoid,
    LogSoftmax,
    LogSumExp,
    MarginRanking,
    MatMul,
    MaxPool,
    Mish,
    MultiMargin,
    PReLU,
    ReLU,
    RMSNorm,
    Rotary,
    ScatterAdd,
    Sigmoid,
    SiLU,
    SmoothAbsoluteError,
    Softmax,
    SoftmaxCrossEntropy,
    Softplus,
    Sparsemax,
    SquaredError,
    Standardisation,
    SwiGLU,
    Tanh,
    TransposedConv,
    UnitNorm,
)

NUMBERS = torch.tensor([0, 2, 1, 0, 2])
LABELS = torch.tensor([1, -1, 1, 1, -1])
ARGUMENTS = {
    "linear": (normal(0, 5, 4), normal(1, 3, 4), normal(2, 3)),
    "bilinear": (normal(0, 5, 4), normal(1, 5, 3), normal(2, 6, 4, 3), normal(3, 6)),
    **{name: (normal(0, 5, 3),) for name in ACTIVATIONS},
    "prelu": (normal(0, 5, 3), normal(1, 3)),
    "glu": (normal(0, 5, 4),),
    "binary_cross_entropy": (chance(0, 5, 3), chance(1, 5, 3), chance(2, 3)),
    "binary_cross_entropy_with_logits": (normal(0, 5, 3), chance(1, 5, 3), chance(2, 3)),
    "cross_entropy": (normal(0, 5, 3), chance(1, 5, 3)),
    "mse_loss": (normal(0, 5, 3), normal(1, 5, 3)),
    "l1_loss": (normal(0, 5, 3), normal(1, 5, 3)),
    "smooth_l1_loss": (normal(0, 5, 3), normal(1, 5, 3)),
    "huber_loss": (normal(0, 5, 3), normal(1, 5, 3)),
    "kl_div": (normal(0, 5, 3), chance(1, 5, 3), None, None, "sum"),
    "nll_loss": (normal(0, 5, 3), NUMBERS, chance(2, 3)),
    "hinge_embedding_loss": (normal(0, 5), LABELS),
    "margin_ranking_loss": (normal(0, 5), normal(1, 5), LABELS),
    "multi_margin_loss": (normal(0, 5, 3), NUMBERS, 2, 1.0, chance(2, 3)),
    "cosine_embedding_loss": (normal(0, 5, 3), normal(1, 5, 3), LABELS),
    "linear_cross_entropy": (normal(0, 5, 4), normal(1, 3, 4), NUMBERS),
    "softmax": (normal(0, 5, 3), -1),
    "log_softmax": (normal(0, 5, 3), -1),
    "layer_norm": (normal(0, 5, 3), (3,), normal(1, 3), normal(2, 3)),
    "rms_norm": (normal(0, 5, 3), (3,), normal(1, 3)),
    "batch_norm": (normal(0, 5, 3), None, None, normal(1, 3), normal(2, 3), True),
    "group_norm": (normal(0, 5, 6), 2, normal(1, 6), normal(2, 6)),
    "instance_norm": (normal(0, 5, 3, 4), None, None, normal(1, 3), normal(2, 3)),
    "normalize": (normal(0, 5, 3),),
    "embedding": (torch.tensor([2, 0, 2]), normal(0, 5, 3)),
    "dropout": (normal(0, 5, 3),),
    "dropout1d": (normal(0, 5, 3, 2),),
    "dropout2d": (normal(0, 5, 3, 2, 1),),
    "dropout3d": (normal(0, 5, 3, 2, 1, 4),),
    "scaled_dot_product_attention": (normal(0, 4, 5), normal(1, 3, 5), normal(2, 3, 7)),
    **{
        name: (normal(0, 2, 3, *(5, 4, 6)[: int(name[-2])]), normal(1, 3, 3, *[2] * int(name[-2])))
        for name in CONVOLUTIONS
    },
    **{name: (normal(0, 2, 3, *(5, 4, 6)[: int(name[-2])]), 2) for name in POOLS},
}
RUN_LOWER = (  # torch's at least
    *("linear", "linear_cross_entropy", "bilinear", "prelu", "scaled_dot_product_attention"),
    *CONVOLUTIONS,
)
OPS = {
    "linear": Affine,
    "bilinear": Bilinear,
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
    "l1_loss": AbsoluteError,
    "smooth_l1_loss": SmoothAbsoluteError,
    "huber_loss": HuberError,
    "kl_div": KLDivergence,
    "nll_loss": NLL,
    "hinge_embedding_loss": HingeEmbedding,
    "margin_ranking_loss": MarginRanking,
    "multi_margin_loss": MultiMargin,
    "cosine_embedding_loss": CosineEmbedding,
    "linear_cross_entropy": LinearCrossEntropy,
    "softmax": Softmax,
    "log_softmax": LogSoftmax,
    "logsumexp": LogSumExp,
    "sparsemax": Sparsemax,
    "layer_norm": Standardisation,
    "rms_norm": RMSNorm,
    "batch_norm": Standardisation,
    "group_norm": Standardisation,
    "instance_norm": Standardisation,
    "normalize": UnitNorm,
    "embedding": Embedding,
    "dropout": Dropout,
    "conv1d": Convolution,
    "conv_transpose2d": TransposedConv,
    "max_pool1d": MaxPool,
    "avg_pool2d": AvgPool,
    "adaptive_max_pool1d": AdaptiveMaxPool,
    "adaptive_avg_pool2d": AdaptiveAvgPool,
    "gather": Gather,
    "scatter_add": ScatterAdd,
    "index_select": IndexSelect,
    "index_add": IndexAdd,
    "scaled_dot_product_attention": Attention,
    "blockwise_attention": BlockwiseAttention,
    "matmul": MatMul,
    "rotary_embedding": Rotary,
}


def under_autocast(
    function: Callable[..., Tensor], low: torch.dtype, device: str
) -> Callable[..., Tensor]:
    def called(*arguments: Any) -> Tensor:
        with torch.autocast(device, dtype=low):
            return function(*arguments)

    return called


def assert_as_torch(name: str, arrive: torch.dtype, low: torch.dtype, device: str) -> None:
    arguments = on_each(lambda x: x.to(arrive), on_device(ARGUMENTS[name], device))
    mine, torchs = (
        value_and_gradients(under_autocast(function, low, device), *arguments, wrt=2)
        for function in (getattr(R, name), getattr(F, name))
    )
    assert [x.dtype for x in mine] == [x.dtype for x in torchs]
    assert all(gradient.dtype == arrive for gradient in mine[1:])
    # Each rounds its few steps in the lower of the dtypes that meet.
    lowered = name in RUN_LOWER and arrive != torch.float64
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
        arguments = on_each(lambda x: x.to(arrive), on_device(ARGUMENTS[name], "cuda"))
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
        "logsumexp": ARGUMENTS["softmax"],
        "sparsemax": ARGUMENTS["softmax"],
        "swiglu": ARGUMENTS["glu"],
        "geglu": ARGUMENTS["glu"],
        "gather": (normal(0, 5), 0, torch.tensor([2, 0, 2])),
        "scatter_add": (normal(0, 5), 0, torch.tensor([2, 0, 2]), normal(1, 3)),
        "index_select": (normal(0, 5), 0, torch.tensor([2, 0, 2])),
        "index_add": (normal(0, 5), 0, torch.tensor([2, 0, 2]), normal(1, 3)),
        "blockwise_attention": ARGUMENTS["scaled_dot_product_attention"],
        "matmul": (normal(0, 5, 4), normal(1, 4, 3)),
        "rotary_embedding": (normal(0, 5, 4), normal(1, 5, 2), normal(2, 5, 2)),
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
