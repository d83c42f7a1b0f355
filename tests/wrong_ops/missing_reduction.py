"""Sums over broadcast dimensions that are missing, averaged or hidden by the engine's repairs."""

import torch

from .planted import PlantedBug, SavesInputs, normals


class AddBias(SavesInputs):
    """y = x + bias, bias broadcast over the rows."""

    @staticmethod
    def forward(x, bias):
        return x + bias

    @staticmethod
    def backward(ctx, grad_y):
        x, bias = ctx.saved_tensors
        return grad_y.sum_to_size(x.shape), grad_y.sum_to_size(bias.shape)


class AddBiasUnreduced(AddBias):
    """The bias gradient keeps the broadcast shape; the engine sums it in silence."""

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y, grad_y.clone()


class AddBiasWithKeptDimension(AddBias):
    """The bias gradient is a row of shape (1, D)."""

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y, grad_y.sum(0, keepdim=True)


class AddBiasAveraged(AddBias):
    """The bias gradient is a mean over the rows."""

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y, grad_y.mean(0)


class AddBiasOfFirstRow(AddBias):
    """The bias gradient is the first row alone."""

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y, grad_y[0]


class AddBiasUnreducedInSinglePrecision(AddBias):
    """Unreduced and float32; the engine sums and casts in silence."""

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y, grad_y.float()


class AddBiasInSinglePrecision(AddBias):
    """The bias gradient is float32 whatever the dtype of bias."""

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y, grad_y.sum(0).float()


class ScaleRows(SavesInputs):
    """y = x * scale with one scale for each row, of shape (N, 1)."""

    @staticmethod
    def forward(x, scale):
        return x * scale

    @staticmethod
    def backward(ctx, grad_y):
        x, scale = ctx.saved_tensors
        return (grad_y * scale).sum_to_size(x.shape), (grad_y * x).sum_to_size(scale.shape)


class ScaleRowsUnreduced(ScaleRows):
    """The gradient of scale has the shape of x."""

    @staticmethod
    def backward(ctx, grad_y):
        x, scale = ctx.saved_tensors
        return grad_y * scale, grad_y * x


def bias_bug(name, wrong, causes, source, behavioural=False):
    rows_and_bias = normals((4, 3), (3,))
    return PlantedBug(
        name, wrong, AddBias, torch.add, rows_and_bias, rows_and_bias, causes, source, behavioural
    )


BUGS = (
    bias_bug(
        "bias gradient keeps the broadcast shape",
        AddBiasUnreduced,
        ("missing-reduction", "wrong-shape"),
        "eclipse/deeplearning4j, nd4j#2424",
        behavioural=True,
    ),
    bias_bug(
        "bias gradient keeps a dimension of size one",
        AddBiasWithKeptDimension,
        ("wrong-shape", "missing-reduction"),
        "datascience.stackexchange 20139",
        behavioural=True,
    ),
    bias_bug(
        "bias gradient is averaged over the rows",
        AddBiasAveraged,
        ("constant-factor",),
        "ROCm/TransformerEngine#336",
    ),
    bias_bug(
        "bias gradient is the first row alone",
        AddBiasOfFirstRow,
        ("missing-reduction", "missing-term"),
        "one row in place of the sum",
    ),
    bias_bug(
        "bias gradient is unreduced and float32",
        AddBiasUnreducedInSinglePrecision,
        ("wrong-dtype", "missing-reduction", "wrong-shape"),
        "a return that torch.autograd.gradcheck accepts",
        behavioural=True,
    ),
    bias_bug(
        "bias gradient is float32",
        AddBiasInSinglePrecision,
        ("wrong-dtype",),
        "a return that torch.autograd.gradcheck accepts",
        behavioural=True,
    ),
    PlantedBug(
        name="row scale gradient keeps the shape of x",
        wrong=ScaleRowsUnreduced,
        right=ScaleRows,
        reference=torch.mul,
        ordinary=normals((5, 3), (5, 1)),
        tripping=normals((5, 3), (5, 1)),
        causes=("missing-reduction", "wrong-shape"),
        source="apache/tvm#2465",
        behavioural=True,
    ),
)
