"""Sparse products, running sums and products, shifts: linear maps whose transpose is meant."""

import torch

from tests.random_inputs import normal, normals, with_entries

from .by_hand import backward_of, wrong

ROW, COLUMN = torch.tensor([0, 0, 1, 2, 2]), torch.tensor([0, 2, 1, 3, 0])


def sparse_product(data, row, column, b, transpose):
    a = data.new_zeros(3, 4).index_put((row, column), data, accumulate=True)
    return (a.t() if transpose else a) @ b


def sparse(transpose):
    def draw(generator):
        data, b = normal(generator, 5), normal(generator, 3 if transpose else 4, 2)
        return data, ROW, COLUMN, b, transpose

    return draw


def sparse_times_dense_forward(data, row, column, b, transpose):
    i, j = (column, row) if transpose else (row, column)
    y = b.new_zeros(4 if transpose else 3, b.shape[1])
    return y.index_add_(0, i, data[:, None] * b[j])


@wrong(
    "flag forgotten",
    ("missing-local-derivative", "transposed"),
    "rows and columns are not exchanged for Aᵀ in the data's gradient",
    "jax-ml/jax#40647",
    ordinary=sparse(False),
)
@backward_of(sparse_product, sparse(True), forward=sparse_times_dense_forward)
def sparse_times_dense(slip, grad_y, data, row, column, b, transpose):
    i, j = (column, row) if transpose else (row, column)
    grad_b = torch.zeros_like(b).index_add_(0, j, data[:, None] * grad_y[i])
    if slip:
        i, j = row.clamp(max=len(grad_y) - 1), column.clamp(max=len(b) - 1)
    return (grad_y[i] * b[j]).sum(1), None, None, grad_b, None


@wrong("no transpose", ("transposed",), "A for Aᵀ", "dgSPARSE/dgSPARSE-Lib#21")
@backward_of(torch.matmul, normals((4, 4), (4, 3)), forward=lambda adjacency, x: adjacency @ x)
def graph_convolution(slip, grad_y, adjacency, x):
    return grad_y @ x.t(), (adjacency if slip else adjacency.t()) @ grad_y


@wrong(
    "same way",
    ("transposed", "missing-local-derivative"),
    "backward rolls on instead of back",
    "shifting kernels of Swin and TSM",
)
@backward_of(
    lambda x, shift: x.roll(shift, -1), lambda generator: (normal(generator, 3, 5), 2), right=False
)
def roll(slip, grad_y, shift):
    return grad_y.roll(shift if slip else -shift, -1), None


def from_the_end(x):
    return x.flip(-1).cumsum(-1).flip(-1)


@wrong(
    "not reversed",
    ("transposed", "missing-term"),
    "the running sum again, not that from the end",
    "cumsum and scans in frameworks of learners",
)
@backward_of(lambda x: x.cumsum(-1), normals((3, 5)))
def cumulative_sum(slip, grad_y):
    return grad_y.cumsum(-1) if slip else from_the_end(grad_y)


@wrong(
    "zero factor",
    ("not-finite",),
    "a division by x: NaN at a zero",
    "tensorflow/tensorflow#3862",
    ordinary=normals((3, 5)),
)
@backward_of(lambda x: x.cumprod(-1), with_entries((3, 5), {(1, 2): 0.0}), once=True)
def cumulative_product(slip, grad_y, x, y):
    if slip:
        return from_the_end(y * grad_y) / x
    before = torch.cat([torch.ones_like(x[..., :1]), y[..., :-1]], -1)
    carried, grad_x = torch.zeros_like(x[..., 0]), []
    for i in reversed(range(x.shape[-1])):
        carried = grad_y[..., i] + (x[..., i + 1] * carried if grad_x else 0)
        grad_x.append(carried * before[..., i])
    return torch.stack(grad_x[::-1], -1)
