"""Gradients that a loose tolerance or a flat probe lets pass."""

import torch

from .planted import PlantedBug, SavesInputs, normals


class TinyMeanSquare(SavesInputs):
    """y = 1e-5 · mean x²."""

    @staticmethod
    def forward(x):
        return (x * x).mean() * 1e-5

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * 2e-5 * x / x.numel()


class TinyMeanSquareOfZeroGradient(TinyMeanSquare):
    """Zero, which is within a millionth of the truth."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return torch.zeros_like(x) * grad_y


class TinySin(SavesInputs):
    """y = 1e-6 sin x."""

    @staticmethod
    def forward(x):
        return 1e-6 * x.sin()

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return 1e-6 * grad_y * x.cos()


class TinySinOfZeroGradient(TinySin):
    """Zero where the truth is of order 1e-6."""

    @staticmethod
    def backward(ctx, grad_y):
        return torch.zeros_like(grad_y)


def scaled_at(grad_x, position, factor):
    """grad_x with one entry, counted in row-major order, multiplied by a factor."""
    flat = torch.arange(grad_x.numel()).reshape(grad_x.shape)
    return torch.where(flat == position, factor * grad_x, grad_x)


class Square(SavesInputs):
    """y = x²."""

    @staticmethod
    def forward(x):
        return x * x

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return 2 * x * grad_y


class SquareWithFirstEntryZero(Square):
    """The very first entry is zero."""

    @staticmethod
    def backward(ctx, grad_y):
        return scaled_at(Square.backward(ctx, grad_y), 0, 0.0)


class SquareWithOneEntryDoubled(Square):
    """Entry number 617 of a thousand is doubled."""

    @staticmethod
    def backward(ctx, grad_y):
        return scaled_at(Square.backward(ctx, grad_y), 617, 2.0)


class SquareWithOneEntrySlightlyOff(Square):
    """Entry number 99 is wrong by one in ten thousand."""

    @staticmethod
    def backward(ctx, grad_y):
        return scaled_at(Square.backward(ctx, grad_y), 99, 1.0001)


class SoftmaxTimes(SavesInputs):
    """y = softmax(x) * weight; with equal weights its sum is constant."""

    @staticmethod
    def forward(x, weight):
        return x.softmax(-1) * weight

    @staticmethod
    def backward(ctx, grad_y):
        x, weight = ctx.saved_tensors
        y = x.softmax(-1)
        grad_softmax = grad_y * weight
        grad_x = y * (grad_softmax - (grad_softmax * y).sum(-1, keepdim=True))
        return grad_x, (grad_y * y).sum_to_size(weight.shape)


class SoftmaxTimesWithoutGradient(SoftmaxTimes):
    """The gradient of x is zero, as it is for equal weights and equal grad_output."""

    @staticmethod
    def backward(ctx, grad_y):
        grad_x, grad_weight = SoftmaxTimes.backward(ctx, grad_y)
        return torch.zeros_like(grad_x), grad_weight


def square_bug(name, wrong, shape, causes, source):
    return PlantedBug(
        name, wrong, Square, torch.square, normals(shape), normals(shape), causes, source
    )


BUGS = (
    PlantedBug(
        name="tiny mean square has a zero gradient",
        wrong=TinyMeanSquareOfZeroGradient,
        right=TinyMeanSquare,
        reference=lambda x: (x * x).mean() * 1e-5,
        ordinary=normals((5, 4)),
        tripping=normals((5, 4)),
        causes=("missing-gradient",),
        source="aqlaboratory/openfold-3#258",
    ),
    PlantedBug(
        name="tiny sin has a zero gradient",
        wrong=TinySinOfZeroGradient,
        right=TinySin,
        reference=lambda x: 1e-6 * x.sin(),
        ordinary=normals((4, 3)),
        tripping=normals((4, 3)),
        causes=("missing-gradient",),
        source="inside the tolerance of torch.autograd.gradcheck",
    ),
    PlantedBug(
        name="softmax times weight has a zero gradient in x",
        wrong=SoftmaxTimesWithoutGradient,
        right=SoftmaxTimes,
        reference=lambda x, weight: x.softmax(-1) * weight,
        ordinary=normals((4, 5), (5,)),
        tripping=normals((4, 5), (5,)),
        causes=("missing-gradient",),
        source="pyg-team/pytorch_geometric#10809",
    ),
    square_bug(
        "square has one zero in four hundred",
        SquareWithFirstEntryZero,
        (16, 25),
        ("wrong-elements",),
        "pytorch/pytorch#59615",
    ),
    square_bug(
        "square has one entry of a thousand doubled",
        SquareWithOneEntryDoubled,
        (25, 40),
        ("wrong-elements",),
        "the fast mode of torch.autograd.gradcheck",
    ),
    square_bug(
        "square has one entry wrong by one in ten thousand",
        SquareWithOneEntrySlightlyOff,
        (12, 15),
        ("wrong-elements",),
        "inside the tolerance of torch.autograd.gradcheck",
    ),
)
