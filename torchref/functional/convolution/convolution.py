"""Convolutions under torch's signatures, and padding by what the input has itself."""

from collections.abc import Callable

import torch
from torch import Tensor

from torchref.functional.admission import (
    autocast_off,
    given,
    require,
    require_real_tensors,
    require_same_kind,
    shape,
    to_autocast_dtype,
)
from torchref.functional.convolution.ranks import in_each_rank
from torchref.functional.convolution.sizes import Sizes, as_arrived, batched, each
from torchref.ops import Convolution, IndexSelect


@in_each_rank
def conv(
    rank: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """y_not = Σ_ck x_nci W_ock + b_o, as `torch.nn.functional.conv1d`; see `ops.Convolution`.

    Shapes: input (N, C, L) or (C, L), weight (O, C / groups, K), bias (O), y (N, O, T) or (O, T).
    padding is a number of zeros on both sides, "valid" for none, or "same" for T = L at a stride
    of 1. Of more dimensions the options are one number, or one for each of them. Under autocast it
    runs in autocast's dtype, as torch's does.

    >>> conv1d(torch.tensor([[1.0, 2.0, 4.0, 8.0]]), torch.tensor([[[1.0, -1.0]]]), padding="same")
    tensor([[-1., -2., -4.,  8.]])
    """
    name = f"conv{rank}d"
    require_weight(name, rank, input, weight, bias, groups, transposed=False)
    steps = each(name, "stride", stride, rank, least=1)
    spacing = each(name, "dilation", dilation, rank, least=1)
    reach = [d * (k - 1) for d, k in zip(spacing, weight.shape[2:], strict=True)]
    front = paddings(name, padding, steps, reach)
    x, weight, bias = to_autocast_dtype(batched(name, input, rank), weight, bias)
    require_same_kind(name, input=x, weight=weight, bias=bias)
    with autocast_off(input):
        if padding == "same":  # what an odd number leaves over is at the end
            behind = [total % 2 for total in reversed(reach) for total in (0, total)]
            x = torch.nn.functional.pad(x, behind) if any(behind) else x
        require(
            all(
                length + 2 * p > far
                for length, p, far in zip(x.shape[2:], front, reach, strict=True)
            ),
            f"{name}: the weight must not reach further than the padded input",
            f"input has shape {shape(input)}, weight {shape(weight)}, padding is {padding!r} and "
            f"dilation {dilation!r}",
            "It reaches over dilation · (size − 1) + 1 places.",
        )
        y = Convolution.call(x, weight, bias, steps, front, spacing, groups)
    return as_arrived(y, input)


conv1d, conv2d, conv3d = conv


def paddings(
    name: str, padding: Sizes | str, stride: tuple[int, ...], reach: list[int]
) -> tuple[int, ...]:
    """How many zeros stand in front, and but for "same" behind."""
    if not isinstance(padding, str):
        return each(name, "padding", padding, len(stride), least=0)
    require(
        padding in ("valid", "same"),
        f'{name}: padding must be numbers, "valid" or "same"',
        f"{padding!r} arrived",
        "Other values than zeros are a padding_mode of the layer.",
    )
    require(
        padding == "valid" or set(stride) == {1},
        f'{name}: padding="same" must go with a stride of 1',
        f"stride is {stride}",
        "Of strides there is no output of the same size: give the padding in numbers.",
    )
    return tuple(total // 2 if padding == "same" else 0 for total in reach)


def require_weight(
    op: str,
    rank: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    groups: int,
    *,
    transposed: bool,
) -> None:
    """weight (O, C / groups, ...), or of a transposed convolution (C, O / groups, ...)."""
    require_real_tensors(op, input=input, weight=weight, **given(bias=bias))
    channels = batched(op, input, rank).shape[1]
    require(
        groups > 0 and channels % groups == 0,
        f"{op}: groups must be positive and divide the channels of input",
        f"{groups} arrived for an input of shape {shape(input)}",
        "1 takes all channels together, as many as there are channels takes each alone.",
    )
    expected = channels if transposed else channels // groups
    require(
        weight.dim() == rank + 2
        and 0 not in weight.shape
        and weight.shape[0 if transposed else 1] == expected
        and weight.shape[0] % groups == 0,
        f"{op}: weight must have the shape "
        + ("(in, out / groups" if transposed else "(out, in / groups")
        + ", size" * rank
        + ")",
        f"it has shape {shape(weight)} for an input of shape {shape(input)} and {groups} groups",
        "torch keeps the weights of convolutions and of transposed ones the other way round.",
    )
    outputs = weight.shape[1] * groups if transposed else weight.shape[0]
    require(
        bias is None or bias.shape == (outputs,),
        f"{op}: bias must have shape ({outputs},), one entry for each channel of the output",
        f"it has shape {shape(bias)}",
        "It is added at every place.",
    )


MODES: dict[str, Callable[[Tensor, int], Tensor]] = {
    "circular": lambda place, length: place % length,
    "reflect": lambda place, length: length - 1 - (length - 1 - place.abs()).abs(),
    "replicate": lambda place, length: place.clamp(0, length - 1),
}


def padded_with_itself(input: Tensor, padding: list[int], mode: str) -> Tensor:
    """As `torch.nn.functional.pad`: before and behind of the last dimension, of the one before it.

    Each place of the padding takes an entry of the input, so that this is an `ops.IndexSelect`.
    """
    pairs = zip(padding[::2], padding[1::2], strict=True)
    for dim, (before, behind) in enumerate(pairs, start=1):
        length = input.shape[-dim]
        most = {"circular": length, "reflect": length - 1}.get(mode)
        require(
            most is None or max(before, behind) <= most,
            f"padding_mode {mode!r}: the padding must be at most {most} for this input",
            f"it is {(before, behind)} for the shape {shape(input)}",
            '"replicate" takes any padding.',
        )
        place = torch.arange(-before, length + behind, device=input.device)
        with autocast_off(input):
            input = IndexSelect.call(input, MODES[mode](place, length), -dim)
    return input
