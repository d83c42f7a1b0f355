"""Transposed convolutions under torch's signatures."""

from torch import Tensor

from torchref.functional.admission import (
    autocast_off,
    require,
    require_same_kind,
    shape,
    to_autocast_dtype,
)
from torchref.functional.convolution.convolution import require_weight
from torchref.functional.convolution.ranks import in_each_rank
from torchref.functional.convolution.sizes import Sizes, as_arrived, batched, each
from torchref.ops import TransposedConv


@in_each_rank
def conv_transpose(
    rank: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Tensor:
    """The transpose of `conv1d` for its input, as torch's; see `torchref.ops.TransposedConv`.

    Shapes: input (N, C, T) or (C, T), weight (C, O / groups, K), bias (O), y (N, O, L) or (O, L)
    with L = stride (T − 1) + dilation (K − 1) + 1 − 2 padding + output_padding. Under autocast it
    runs in autocast's dtype, as torch's does.

    >>> conv_transpose1d(torch.tensor([[1.0, 10.0]]), torch.tensor([[[1.0, 2.0, 3.0]]]), stride=2)
    tensor([[ 1.,  2., 13., 20., 30.]])
    """
    name = f"conv_transpose{rank}d"
    require_weight(name, rank, input, weight, bias, groups, transposed=True)
    steps = each(name, "stride", stride, rank, least=1)
    spacing = each(name, "dilation", dilation, rank, least=1)
    cut = each(name, "padding", padding, rank, least=0)
    more = each(name, "output_padding", output_padding, rank, least=0)
    require(
        all(extra < max(s, d) for extra, s, d in zip(more, steps, spacing, strict=True)),
        f"{name}: output_padding must be smaller than stride or dilation",
        f"it is {more}, stride {steps} and dilation {spacing}",
        "It chooses among the sizes that a strided convolution makes one size of.",
    )
    x, weight, bias = to_autocast_dtype(batched(name, input, rank), weight, bias)
    require_same_kind(name, input=x, weight=weight, bias=bias)
    lengths = [
        s * (length - 1) + d * (size - 1) + 1 - 2 * p + extra
        for length, size, s, p, d, extra in zip(
            x.shape[2:], weight.shape[2:], steps, cut, spacing, more, strict=True
        )
    ]
    require(
        min(lengths) > 0,
        f"{name}: padding must leave something of the output",
        f"it is {padding!r}, and leaves {tuple(lengths)} of an input of shape {shape(input)}",
        "Here it is cut off, from both ends.",
    )
    with autocast_off(input):
        y = TransposedConv.call(x, weight, bias, steps, cut, spacing, groups, more)
    return as_arrived(y, input)


conv_transpose1d, conv_transpose2d, conv_transpose3d = conv_transpose
