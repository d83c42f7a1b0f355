"""Activations under torch's signatures.

With `inplace=True` the value is written into the input, as torch's is, and of a copy of what stood
there: no memory is saved by it, and what else looks at the input sees the same as with torch's.
"""

from torch import Tensor

from torchref.functional.admission import (
    autocast_off,
    require,
    require_real_tensors,
    require_same_kind,
    shape,
    to_autocast_dtype,
    to_float32_under_cuda_autocast,
)
from torchref.ops import (
    ELU,
    GELU,
    SELU,
    Hardsigmoid,
    Hardswish,
    LeakyReLU,
    LogSigmoid,
    Mish,
    PReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
    TanhGELU,
)
from torchref.ops.activations import Pointwise


def applied(op: type[Pointwise], input: Tensor, *options: float, inplace: bool = False) -> Tensor:
    if inplace:
        return input.copy_(applied(op, input.clone(), *options))
    with autocast_off(input):
        return op.call(input, *options)


def sigmoid(input: Tensor) -> Tensor:
    """y = 1 / (1 + e⁻ˣ), as `torch.nn.functional.sigmoid`; see `torchref.ops.Sigmoid`.

    >>> sigmoid(torch.tensor(0.415))
    tensor(0.6023)
    """
    require_real_tensors("sigmoid", input=input)
    return applied(Sigmoid, input)


def tanh(input: Tensor) -> Tensor:
    """y = tanh x, as `torch.nn.functional.tanh`; see `torchref.ops.Tanh`.

    >>> tanh(torch.tensor(0.5))
    tensor(0.4621)
    """
    require_real_tensors("tanh", input=input)
    return applied(Tanh, input)


def softplus(input: Tensor, beta: float = 1, threshold: float = 20) -> Tensor:
    """y = ln(1 + e^βx) / β, as `torch.nn.functional.softplus`; see `torchref.ops.Softplus`.

    As in torch's y = x where βx > threshold; with `threshold=math.inf` no digit is cut off.

    >>> softplus(torch.tensor([-1.0, 0.0, 30.0]))
    tensor([ 0.3133,  0.6931, 30.0000])
    """
    require_real_tensors("softplus", input=input)
    require(
        beta != 0,
        "softplus: beta must not be 0",
        "0 arrived",
        "The larger beta is, the nearer is y to max(x, 0); 1 is usual.",
    )
    return applied(Softplus, to_float32_under_cuda_autocast(input), beta, threshold)


def logsigmoid(input: Tensor) -> Tensor:
    """y = ln σ(x), as `torch.nn.functional.logsigmoid`; see `torchref.ops.LogSigmoid`.

    >>> logsigmoid(torch.tensor([-1e4, 0.0]))
    tensor([-1.0000e+04, -6.9315e-01])
    """
    require_real_tensors("logsigmoid", input=input)
    return applied(LogSigmoid, input)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """y = x σ(x), as `torch.nn.functional.silu`; see `torchref.ops.SiLU`.

    >>> silu(torch.tensor([-1.0, 1.0]))
    tensor([-0.2689,  0.7311])
    """
    require_real_tensors("silu", input=input)
    return applied(SiLU, input, inplace=inplace)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """y = x tanh(softplus x), as `torch.nn.functional.mish`; see `torchref.ops.Mish`.

    >>> mish(torch.tensor([-1.0, 1.0]))
    tensor([-0.3034,  0.8651])
    """
    require_real_tensors("mish", input=input)
    return applied(Mish, input, inplace=inplace)


GELUS = {"none": GELU, "tanh": TanhGELU}


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """y = x Φ(x), as `torch.nn.functional.gelu`; see `torchref.ops.GELU`.

    `approximate="tanh"` writes Φ by a tanh; see `torchref.ops.TanhGELU`.

    >>> gelu(torch.tensor([-1.0, 1.0])), gelu(torch.tensor([-1.0, 1.0]), approximate="tanh")
    (tensor([-0.1587,  0.8413]), tensor([-0.1588,  0.8412]))
    """
    require_real_tensors("gelu", input=input)
    require(
        approximate in GELUS,
        f"gelu: approximate must be one of {', '.join(GELUS)}",
        f"{approximate!r} arrived",
        'The exact gelu is approximate="none", a string.',
    )
    return applied(GELUS[approximate], input)


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """y = max(x, 0), as `torch.nn.functional.relu`; see `torchref.ops.ReLU`.

    >>> relu(torch.tensor([-2.0, 3.0]))
    tensor([0., 3.])
    """
    require_real_tensors("relu", input=input)
    return applied(ReLU, input, inplace=inplace)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """y = x or negative_slope · x, as `torch.nn.functional.leaky_relu`; see `ops.LeakyReLU`.

    >>> leaky_relu(torch.tensor([-2.0, 3.0]))
    tensor([-0.0200,  3.0000])
    """
    require_real_tensors("leaky_relu", input=input)
    return applied(LeakyReLU, input, negative_slope, inplace=inplace)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """y = x or weight · x, as `torch.nn.functional.prelu`; see `torchref.ops.PReLU`.

    Shapes: input any; weight (1) or (), or (C) for an input (N, C, ...): one value a channel.
    Under autocast it runs in autocast's dtype, as torch's does.

    >>> prelu(torch.tensor([[-2.0, -2.0]]), torch.tensor([0.25, 0.5]))
    tensor([[-0.5000, -1.0000]])
    """
    require_real_tensors("prelu", input=input, weight=weight)
    channels = input.shape[1] if input.dim() > 1 else 1
    require(
        weight.dim() <= 1 and weight.numel() in (1, channels),
        "prelu: weight must have one value, or one for each channel of input (N, C, ...)",
        f"weight has shape {shape(weight)} and input {shape(input)}",
        "Channels are the second dimension: move yours there with movedim.",
    )
    input, weight = to_autocast_dtype(input, weight)
    require_same_kind("prelu", input=input, weight=weight)
    along = () if weight.numel() == 1 else (channels, *(1 for _ in input.shape[2:]))
    with autocast_off(input):
        return PReLU.call(input, weight.reshape(along))


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """y = x or α (eˣ − 1), as `torch.nn.functional.elu`; see `torchref.ops.ELU`.

    >>> elu(torch.tensor([-1.0, 3.0]))
    tensor([-0.6321,  3.0000])
    """
    require_real_tensors("elu", input=input)
    return applied(ELU, input, alpha, inplace=inplace)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """y = λ ELU(x), as `torch.nn.functional.selu`; see `torchref.ops.SELU`.

    >>> selu(torch.tensor([-1.0, 3.0]))
    tensor([-1.1113,  3.1521])
    """
    require_real_tensors("selu", input=input)
    return applied(SELU, input, inplace=inplace)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """y = min(max(x + 3, 0), 6) / 6, as torch's; see `torchref.ops.Hardsigmoid`.

    >>> hardsigmoid(torch.tensor([-4.0, 1.5]))
    tensor([0.0000, 0.7500])
    """
    require_real_tensors("hardsigmoid", input=input)
    return applied(Hardsigmoid, input, inplace=inplace)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """y = x min(max(x + 3, 0), 6) / 6, as torch's; see `torchref.ops.Hardswish`.

    >>> hardswish(torch.tensor([-1.5, 4.0]))
    tensor([-0.3750,  4.0000])
    """
    require_real_tensors("hardswish", input=input)
    return applied(Hardswish, input, inplace=inplace)
