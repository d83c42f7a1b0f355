"""Convolutions by columns, transposed and grouped."""

import torch
from torch.nn import functional as F

from tests.random_inputs import normal, normals

from .by_hand import backward_of, wrong


def strided(stride):
    drawn = normals((2, 3, 7), (4, 3, 3), (4,))
    return lambda generator: (*drawn(generator), stride)


def convolution_forward(x, weight, bias, stride):  # (batch, in, place), (out, in, k), (out,)
    columns = x.unfold(2, weight.shape[2], stride)
    return torch.einsum("nclk,ock->nol", columns, weight) + bias[:, None]


@wrong(
    "columns without stride",
    ("missing-local-derivative",),
    "the columns for grad_weight are taken with stride 1",
    "iree-org/iree#23786",
    ordinary=strided(1),
)
@wrong(
    "kernel flipped",
    ("transposed", "missing-local-derivative"),
    "the kernel enters grad_x flipped once too often",
    "sebgao/cTensor#4",
    tripping=strided(1),
)
@wrong(
    "mean for the bias",
    ("constant-factor",),
    "the bias's gradient is a mean over the batch",
    "convolutions by learners",
    tripping=strided(1),
)
@backward_of(
    lambda x, weight, bias, stride: F.conv1d(x, weight, bias, stride=stride),
    strided(2),
    forward=convolution_forward,
    once=True,
)
def convolution(slip, grad_y, x, weight, stride):
    width, places = weight.shape[2], grad_y.shape[2]
    columns = x.unfold(2, width, 1 if slip == "columns without stride" else stride)
    grad_weight = torch.einsum("nol,nclk->ock", grad_y, columns[:, :, :places])
    kernel = weight.flip(2) if slip == "kernel flipped" else weight
    grad_columns = torch.einsum("nol,ock->nclk", grad_y, kernel)
    grad_x = torch.zeros_like(x)
    for i in range(places):
        grad_x[:, :, i * stride : i * stride + width] += grad_columns[:, :, i]
    if slip == "mean for the bias":
        return grad_x, grad_weight, grad_y.mean(0).sum(-1), None
    return grad_x, grad_weight, grad_y.sum((0, 2)), None


@wrong(
    "first group",
    ("wrong-elements",),
    "every group gets the weight's gradient of the first",
    "grouped convolutions by hand in Pytorch-Depthwise-Conv3d",
)
@backward_of(
    lambda x, weight, stride: F.conv_transpose1d(x, weight, stride=stride, groups=2),
    lambda generator: (normal(generator, 2, 2, 4), normal(generator, 2, 1, 3), 2),
)
def transposed_convolution(slip, grad_y, x, weight, stride):  # x (batch, 2, place), (2, 1, k)
    grad_x = F.conv1d(grad_y, weight, stride=stride, groups=2)
    columns = grad_y.unfold(2, weight.shape[2], stride)
    grad_weight = torch.einsum("ncl,nclk->ck", x, columns)[:, None]
    return grad_x, grad_weight[:1].expand_as(grad_weight) if slip else grad_weight, None
