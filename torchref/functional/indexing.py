"""Indexing, embeddings and dropout under torch's signatures, those of `torch` and of `torch.nn`."""

from collections.abc import Callable

import torch
from torch import Tensor

from torchref.functional.admission import (
    autocast_off,
    autocasts,
    require,
    require_dims,
    require_no_out,
    require_not_inplace,
    require_numbers,
    require_real_tensors,
    require_same_kind,
    shape,
)
from torchref.ops import Dropout, Embedding, Gather, IndexAdd, IndexSelect, ScatterAdd


def gather(
    input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False, out: None = None
) -> Tensor:
    """y_ij = x_{index_ij, j} for dim 0, as `torch.gather`; see `torchref.ops.Gather`.

    Shapes: index has the dimensions of input and, but along dim, is no larger; y as index. A
    sparse gradient is refused: it would hold one entry for each that was taken, repeated or not.

    >>> gather(torch.tensor([1.0, 2.0, 3.0]), 0, torch.tensor([2, 0, 2]))
    tensor([3., 1., 3.])
    """
    name = "gather"
    require_real_tensors(name, input=input)
    require_no_out(name, out)
    require_dense(name, "sparse_grad", sparse_grad)
    require_dims(name, input, dim)
    require_index_of_entries(name, input, dim, index)
    with autocast_off(input):
        return Gather.call(input, index, dim)


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """y_rj = x_rj + Σ_i [index_ij = r] src_ij for dim 0, as `torch.scatter_add`; see `ScatterAdd`.

    Shapes: index has the dimensions of input, and is no larger than src and, but along dim, than
    input; y as input. Where src is the larger, torch gives no gradient for it. Here it is 0.

    >>> scatter_add(torch.zeros(3), 0, torch.tensor([2, 0, 2]), torch.tensor([1.0, 10.0, 5.0]))
    tensor([10.,  0.,  6.])
    """
    name = "scatter_add"
    require_real_tensors(name, input=input, src=src)
    require_dims(name, input, dim)
    require_index_of_entries(name, input, dim, index)
    require(
        src.dim() == index.dim()
        and all(mine <= its for mine, its in zip(index.shape, src.shape, strict=True)),
        f"{name}: index must have the dimensions of src, and be no larger",
        f"index has shape {shape(index)} and src {shape(src)}",
        "There is one index for each entry that is added.",
    )
    if input.is_cuda and autocasts(input):  # as torch's, which widens there and nowhere else
        wide = torch.promote_types(input.dtype, src.dtype)
        input, src = input.to(wide), src.to(wide)
    require_same_kind(name, input=input, src=src)
    with autocast_off(input):
        return ScatterAdd.call(input, index, src, dim)


def index_select(input: Tensor, dim: int, index: Tensor, *, out: None = None) -> Tensor:
    """The slices of x along dim that index names, as `torch.index_select`; see `IndexSelect`.

    Shapes: index (n) or one number; y as input, with n slices along dim.

    >>> index_select(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), 0, torch.tensor([1, 1]))
    tensor([[3., 4.],
            [3., 4.]])
    """
    name = "index_select"
    require_real_tensors(name, input=input)
    require_no_out(name, out)
    require_dims(name, input, dim)
    require_index_of_slices(name, input, dim, index)
    with autocast_off(input):
        return IndexSelect.call(input, index.reshape(-1), dim)


def index_add(
    input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1, out: None = None
) -> Tensor:
    """x with α times each slice of source added where index says, as `torch.index_add`.

    See `torchref.ops.IndexAdd`. Shapes: index (n) or one number, source as input with n slices
    along dim.

    >>> index_add(torch.zeros(3), 0, torch.tensor([2, 2]), torch.tensor([1.0, 10.0]), alpha=2)
    tensor([ 0.,  0., 22.])
    """
    name = "index_add"
    require_real_tensors(name, input=input, source=source)
    require_no_out(name, out)
    require_dims(name, input, dim)
    require_index_of_slices(name, input, dim, index)
    expected = list(input.shape)
    if expected:
        expected[dim] = index.numel()
    require(
        list(source.shape) == expected,
        f"{name}: source must have the shape of input, with one slice for each index along dim",
        f"it has shape {shape(source)} for {index.numel()} indices and an input of {shape(input)}",
        "One slice without its dimension takes source.unsqueeze(dim).",
    )
    require_same_kind(name, input=input, source=source)
    with autocast_off(input):
        return IndexAdd.call(input, index.reshape(-1), source, dim, alpha)


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of weight that input names, as `torch.nn.functional.embedding`; see `ops.Embedding`.

    Shapes: input any, of integers; weight (V, D); y (*input, D). With max_norm the rows that are
    taken and longer are made shorter, in weight itself, before and not as part of what is
    differentiated. A sparse gradient is refused: the handwritten one is a tensor like weight. Of
    lower dtypes it is added up in float32: a sum in bfloat16 of ones ends at 256.

    >>> embedding(torch.tensor([1, 0, 1]), torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[3., 4.],
            [1., 2.],
            [3., 4.]])
    """
    name = "embedding"
    require_real_tensors(name, weight=weight)
    require_dense(name, "sparse", sparse)
    require(
        weight.dim() == 2,
        f"{name}: weight must have two dimensions, one row for each index",
        f"it has shape {shape(weight)}",
        "Arguments are input and weight, in this order.",
    )
    require_numbers(name, "input", input, weight, len(weight))
    if padding_idx is not None:
        require(
            -len(weight) <= padding_idx < len(weight),
            f"{name}: padding_idx must be a row of weight",
            f"it is {padding_idx} for {len(weight)} rows",
            "Rows count from 0, and from the end with -1.",
        )
        padding_idx %= len(weight)
    if max_norm is not None:
        with torch.no_grad():
            torch.embedding_renorm_(weight.detach(), input.contiguous(), max_norm, norm_type)
    with autocast_off(weight):
        return Embedding.call(weight, input, padding_idx, scale_grad_by_freq)


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """x / (1 − p) with the chance 1 − p and else 0, as `torch.nn.functional.dropout`.

    See `torchref.ops.Dropout`. From one seed the same entries are left out as by torch's, under
    vmap too. In evaluation, and for p = 0, y is input itself.

    >>> _ = torch.manual_seed(0)
    >>> dropout(torch.ones(6))
    tensor([0., 0., 2., 0., 0., 0.])
    """
    return left_out("dropout", torch.dropout, input, p, training, inplace)


def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """As `dropout`, of whole channels: (N, C, L) or (C, L)."""
    return channels_left_out("dropout1d", (2, 3), input, p, training, inplace)


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """As `dropout`, of whole channels: (N, C, H, W).

    torch's takes three dimensions as (N, C, L) and warns; here they are refused.
    """
    return channels_left_out("dropout2d", (4,), input, p, training, inplace)


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """As `dropout`, of whole channels: (N, C, D, H, W) or (C, D, H, W)."""
    return channels_left_out("dropout3d", (4, 5), input, p, training, inplace)


def channels_left_out(
    name: str, ranks: tuple[int, ...], input: Tensor, p: float, training: bool, inplace: bool
) -> Tensor:
    require_real_tensors(name, input=input)
    require(
        input.dim() in ranks,
        f"{name}: input must have {' or '.join(map(str, ranks))} dimensions",
        f"it has shape {shape(input)}",
        "The number in the name counts the dimensions behind the channels.",
    )
    if input.dim() == max(ranks):
        return left_out(name, torch.feature_dropout, input, p, training, inplace)
    y = left_out(name, torch.feature_dropout, input.unsqueeze(0), p, training, inplace)
    return y.squeeze(0)


def left_out(
    name: str,
    torchs: Callable[[Tensor, float, bool], Tensor],
    input: Tensor,
    p: float,
    *flags: bool,
) -> Tensor:
    """What torch's own makes of ones is the mask: no other way draws the same everywhere."""
    training, inplace = flags
    require_real_tensors(name, input=input)
    require_not_inplace(name, inplace)
    require(
        0 <= p <= 1,
        f"{name}: p must lie in [0, 1]",
        f"{p} arrived",
        "It is the chance of being left out: 0.1 to 0.5 are usual.",
    )
    if not training or p == 0:
        return input
    mask = torchs(torch.ones_like(input).detach(), p, True) > 0
    with autocast_off(input):
        return Dropout.call(input, mask, p if p < 1 else 0.0)  # of p = 1 the mask leaves nothing


def require_dense(op: str, name: str, sparse: bool) -> None:
    require(
        not sparse,
        f"{op}: {name} must be False",
        "True arrived",
        "Handwritten gradients are dense; torch's own op has sparse ones.",
    )


def along(input: Tensor, dim: int) -> int:
    """How many there are along dim; a tensor without dimensions has one."""
    return input.shape[dim] if input.dim() else 1


def require_index_of_entries(op: str, input: Tensor, dim: int, index: Tensor) -> None:
    require_numbers(op, "index", index, input, along(input, dim))
    others = [
        (its, mine)
        for number, (its, mine) in enumerate(zip(index.shape, input.shape, strict=False))
        if number != dim % max(input.dim(), 1)
    ]
    require(
        max(index.dim(), 1) == max(input.dim(), 1) and all(its <= mine for its, mine in others),
        f"{op}: index must have the dimensions of input and, but along dim, be no larger",
        f"index has shape {shape(index)}, input {shape(input)}, and dim is {dim}",
        "Whole slices are taken with index_select and added with index_add.",
    )


def require_index_of_slices(op: str, input: Tensor, dim: int, index: Tensor) -> None:
    require_numbers(op, "index", index, input, along(input, dim))
    require(
        index.dim() <= 1 and (input.dim() > 0 or index.numel() == 1),
        f"{op}: index must have one dimension",
        f"it has shape {shape(index)}",
        "An index for each entry goes to gather and scatter_add.",
    )
