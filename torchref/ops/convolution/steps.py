"""The convolution and its backward one step at a time, every intermediate by its name.

This is the long way to what `Convolution` collapses: the entries that meet a place of the output
are laid out as a column, and the weight is a matrix beside it. Nothing but products of matrices
and the laying out, whose gradient is `spread`, is asked. Plain functions: nothing is saved.
"""

import math
from typing import NamedTuple

from torch import Tensor

from torchref.ops.convolution.convolution import Sizes, bias_gradient
from torchref.ops.convolution.windows import gathered, places, spread, steps


class ConvolutionSteps(NamedTuple):
    """What `convolution_steps` goes through, in its order.

    windows       for each dimension the places (T, K) of x that output t meets
    columns       x laid out: (N, groups, C / groups · K, T), all dimensions of each kind together
    matrix        the weight: (groups, O / groups, C / groups · K)
    """

    windows: tuple[Tensor, ...]
    columns: Tensor
    matrix: Tensor
    y: Tensor
    grad_bias: Tensor | None
    grad_products: Tensor
    grad_matrix: Tensor
    grad_columns: Tensor
    grad_weight: Tensor
    grad_x: Tensor


def convolution_steps(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
    grad_y: Tensor,
) -> ConvolutionSteps:
    """`Convolution` and its backward, step by step, of any rank.

    >>> x, weight = torch.tensor([[[1.0, 2.0, 4.0]]]), torch.tensor([[[1.0, -1.0]]])
    >>> told = convolution_steps(x, weight, None, (1,), (0,), (1,), 1, torch.ones(1, 1, 2))
    >>> told.columns, told.grad_weight, told.grad_x
    (tensor([[[[1., 2.],
              [2., 4.]]]]), tensor([[[3., 6.]]]), tensor([[[ 1.,  0., -1.]]]))
    """
    batch, channels, *lengths = x.shape
    outputs, _, *kernel = weight.shape
    rank, t_sizes = len(lengths), grad_y.shape[2:]
    windows = tuple(
        places(steps(t, s, p, x.device), length, k, d, length)
        for t, s, p, d, k, length in zip(
            t_sizes, stride, padding, dilation, kernel, lengths, strict=True
        )
    )
    # Each dimension of x becomes two, t and k: (N, C, t, k, t, k, ...), and all t go last.
    laid_out = x
    for number, of_dimension in enumerate(windows):
        laid_out = gathered(laid_out, 2 + 2 * number, of_dimension)
    to_columns = (0, 1, *range(3, 3 + 2 * rank, 2), *range(2, 2 + 2 * rank, 2))
    entries = channels // groups * math.prod(kernel)
    together = batch, groups, entries, math.prod(t_sizes)
    columns = laid_out.permute(to_columns).reshape(together)
    matrix = weight.reshape(groups, outputs // groups, entries)
    products = matrix @ columns
    y = products.reshape(batch, outputs, *t_sizes)
    y = y if bias is None else y + bias.reshape(-1, *(1,) * rank)

    # y = products + bias, each entry of which was added at every place
    grad_bias = None if bias is None else bias_gradient(grad_y)
    grad_products = grad_y.reshape(products.shape)
    # products = matrix · columns, with one matrix for all examples
    grad_matrix = (grad_products @ columns.mT).sum(0)
    grad_columns = matrix.mT @ grad_products
    # matrix is weight in another shape
    grad_weight = grad_matrix.reshape(weight.shape)
    # columns hold an entry of x once for each output that it meets, whose gradients add up
    of_places = grad_columns.reshape(batch, channels, *kernel, *t_sizes)
    grad_x = of_places.permute(0, 1, *(axis for j in range(rank) for axis in (2 + rank + j, 2 + j)))
    for number in reversed(range(rank)):
        grad_x = spread(grad_x, 2 + 2 * number, windows[number], lengths[number])
    return ConvolutionSteps(
        windows,
        columns,
        matrix,
        y,
        grad_bias,
        grad_products,
        grad_matrix,
        grad_columns,
        grad_weight,
        grad_x,
    )
