"""Sparse products, running sums and products, shifts: linear maps whose transpose is meant."""

import torch
from torch.autograd.function import once_differentiable

from tests.random_inputs import normal, normals, with_entries

from .by_hand import Slip, by_hand

ROW, COLUMN = torch.tensor([0, 0, 1, 2, 2]), torch.tensor([0, 2, 1, 3, 0])


def sparse_product(data, row, column, b, transpose):
    a = data.new_zeros(3, 4).index_put((row, column), data, accumulate=True)
    return (a.t() if transpose else a) @ b


def sparse(transpose):
    def draw(generator):
        data, b = normal(generator, 5), normal(generator, 3 if transpose else 4, 2)
        return data, ROW, COLUMN, b, transpose

    return draw


@by_hand(
    sparse_product,
    sparse(True),
    Slip(
        "flag forgotten",
        ("missing-local-derivative", "transposed"),
        "rows and columns are not exchanged for Aᵀ in the data's gradient",
        "jax-ml/jax#40647",
        ordinary=sparse(False),
    ),
)
def sparse_times_dense(slip):
    def forward(ctx, data, row, column, b, transpose):
        ctx.save_for_backward(data, row, column, b)
        ctx.transpose = transpose
        i, j = (column, row) if transpose else (row, column)
        y = b.new_zeros(4 if transpose else 3, b.shape[1])
        return y.index_add_(0, i, data[:, None] * b[j])

    def backward(ctx, grad_y):
        data, row, column, b = ctx.saved_tensors
        i, j = (column, row) if ctx.transpose else (row, column)
        grad_b = torch.zeros_like(b).index_add_(0, j, data[:, None] * grad_y[i])
        if slip:
            i, j = row.clamp(max=len(grad_y) - 1), column.clamp(max=len(b) - 1)
        return (grad_y[i] * b[j]).sum(1), None, None, grad_b, None

    return forward, backward


@by_hand(
    torch.matmul,
    normals((4, 4), (4, 3)),
    Slip("no transpose", ("transposed",), "A for Aᵀ", "dgSPARSE/dgSPARSE-Lib#21"),
)
def graph_convolution(slip):
    def forward(ctx, adjacency, x):
        ctx.save_for_backward(adjacency, x)
        return adjacency @ x

    def backward(ctx, grad_y):
        adjacency, x = ctx.saved_tensors
        return grad_y @ x.t(), (adjacency if slip else adjacency.t()) @ grad_y

    return forward, backward


@by_hand(
    lambda x, shift: torch.roll(x, shift, -1),
    lambda generator: (normal(generator, 3, 5), 2),
    Slip(
        "same way",
        ("transposed", "missing-local-derivative"),
        "backward rolls on instead of back",
        "shifting kernels of Swin and TSM",
    ),
    in_its_right_form=False,
)
def roll(slip):
    def forward(ctx, x, shift):
        ctx.shift = shift
        return x.roll(shift, -1)

    def backward(ctx, grad_y):
        return grad_y.roll(ctx.shift if slip else -ctx.shift, -1), None

    return forward, backward


def from_the_end(x):
    return x.flip(-1).cumsum(-1).flip(-1)


@by_hand(
    lambda x: torch.cumsum(x, -1),
    normals((3, 5)),
    Slip(
        "not reversed",
        ("transposed", "missing-term"),
        "the running sum again, not that from the end",
        "cumsum and scans in frameworks of learners",
    ),
)
def cumulative_sum(slip):
    def forward(_, x):
        return x.cumsum(-1)

    def backward(_, grad_y):
        return grad_y.cumsum(-1) if slip else from_the_end(grad_y)

    return forward, backward


@by_hand(
    lambda x: torch.cumprod(x, -1),
    with_entries((3, 5), {(1, 2): 0.0}),
    Slip(
        "zero factor",
        ("not-finite",),
        "a division by x: NaN at a zero",
        "tensorflow/tensorflow#3862",
        ordinary=normals((3, 5)),
    ),
)
def cumulative_product(slip):
    def forward(ctx, x):
        y = x.cumprod(-1)
        ctx.save_for_backward(x, y)
        return y

    @once_differentiable
    def backward(ctx, grad_y):
        x, y = ctx.saved_tensors
        if slip:
            return from_the_end(y * grad_y) / x
        before = torch.cat([torch.ones_like(x[..., :1]), y[..., :-1]], -1)
        carried, grad_x = torch.zeros_like(x[..., 0]), []
        for i in reversed(range(x.shape[-1])):
            carried = grad_y[..., i] + (x[..., i + 1] * carried if grad_x else 0)
            grad_x.append(carried * before[..., i])
        return torch.stack(grad_x[::-1], -1)

    return forward, backward
