"""Batch and instance norm under torch's signatures, and the running statistics that they keep."""

import torch
from torch import Tensor

from torchref.functional.admission import autocast_off, cast, require
from torchref.functional.normalisation import require_channels, require_eps, require_more_than_one
from torchref.ops import FixedStandardisation, Standardisation


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float | Tensor = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x − μ) / √(σ² + ε) · w + b for each channel, as `torch.nn.functional.batch_norm`.

    In training the moments are those of the channel, see `ops.Standardisation`, and what is running
    becomes (1 − momentum) of itself and momentum of them: the mean, and the variance with n − 1 in
    the denominator, where the forward has n. Else they are the running ones, see
    `ops.FixedStandardisation`, in which it is differentiable, unlike torch's.
    Shapes: input (N, C, ...), all else (C). Dtypes as in `layer_norm`; autocast changes none.
    torch.func moves no running statistics: there they are None, or the layer evaluates.

    >>> x, running_mean, running_var = torch.tensor([[1.0], [5.0]]), torch.zeros(1), torch.ones(1)
    >>> batch_norm(x, running_mean, running_var, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    >>> running_mean, running_var
    (tensor([0.3000]), tensor([1.7000]))
    >>> batch_norm(x, running_mean, running_var)
    tensor([[0.5369],
            [3.6047]])
    """
    name = "batch_norm"
    running = {"running_mean": running_mean, "running_var": running_var}
    require_channels(name, input, weight=weight, bias=bias, **running)
    require_eps(name, eps)
    require(
        eps > 0 or not training,
        f"{name}: eps must be positive in training",
        f"{eps} arrived",
        "1e-5 is usual.",
    )
    if not training:
        return by_running(name, input, running_mean, running_var, weight, bias, eps)
    sizes = (input.shape[0], *input.shape[2:])
    require_more_than_one(name, input, *sizes)
    dims = (0, *range(2, input.dim()))
    return by_its_own(input, running_mean, running_var, weight, bias, momentum, eps, dims)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x − μ) / √(σ² + ε) · w + b for each channel of each example, as torch's `instance_norm`.

    As `batch_norm`, with moments of one example's channel; what is running takes their means over
    the batch.
    Shapes: input (N, C, ...) with more than one entry to a channel, all else (C).

    >>> instance_norm(torch.tensor([[[1.0, 3.0], [10.0, 30.0]]]))
    tensor([[[-1.0000,  1.0000],
             [-1.0000,  1.0000]]])
    """
    name = "instance_norm"
    running = {"running_mean": running_mean, "running_var": running_var}
    require_channels(name, input, weight=weight, bias=bias, **running)
    require_eps(name, eps)
    if not use_input_stats:
        return by_running(name, input, running_mean, running_var, weight, bias, eps)
    require_more_than_one(name, input, *input.shape[2:])
    dims = tuple(range(2, input.dim()))
    return by_its_own(input, running_mean, running_var, weight, bias, momentum, eps, dims)


def by_its_own(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    momentum: float | Tensor,
    eps: float,
    dims: tuple[int, ...],
) -> Tensor:
    """Standardised over dims, and the moments noted."""
    x, *parameters = cast(torch.float32, (input, weight, bias))
    with autocast_off(input):
        if x.numel() > 0:
            note(running_mean, running_var, x.detach(), momentum, dims)
        y = Standardisation.call(x, *per_channel(input, *parameters), dims, eps)
    return y.to(input.dtype)


def note(
    running_mean: Tensor | None,
    running_var: Tensor | None,
    x: Tensor,
    momentum: float | Tensor,
    dims: tuple[int, ...],
) -> None:
    """Moves the running statistics towards those of x, which instance norm has for each example."""
    if running_mean is None and running_var is None:
        return
    variance, mean = torch.var_mean(x, dims, correction=1)
    for running, seen in ((running_mean, mean), (running_var, variance)):
        if running is not None:
            of_channel = seen if seen.dim() == 1 else seen.mean(0)
            running.copy_((1 - momentum) * running + momentum * of_channel)


def by_running(
    op: str,
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
) -> Tensor:
    for name, moment in (("running_mean", running_mean), ("running_var", running_var)):
        require(
            moment is not None,
            f"{op}: {name} must be given where the moments are not those of input",
            "it is None",
            "Pass both, or take the moments of input.",
        )
    x, *others = cast(torch.float32, (input, running_mean, running_var, weight, bias))
    with autocast_off(input):
        y = FixedStandardisation.call(x, *per_channel(input, *others), eps)
    return y.to(input.dtype)


def per_channel(input: Tensor, *parameters: Tensor | None) -> tuple[Tensor | None, ...]:
    """(C) as (C, 1, ...), to be broadcast to input."""
    ones = (1,) * (input.dim() - 2)
    return tuple(p if p is None else p.reshape(p.shape[0], *ones) for p in parameters)
