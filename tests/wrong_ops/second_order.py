"""First order right, second order silently wrong."""

import torch

from .planted import PlantedBug, SavesInputs, indices, normal, normals


class DoubledSquare(SavesInputs):
    """y = (2 x)²."""

    @staticmethod
    def forward(x):
        return (2 * x) ** 2

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return 8 * x * grad_y


class DoubledSquareOfKeptIntermediate(DoubledSquare):
    """2 x is kept from forward as an attribute, so that it is a constant ever after."""

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.doubled = 2 * inputs[0]

    @staticmethod
    def backward(ctx, grad_y):
        return 4 * ctx.doubled * grad_y


class Sigmoid(SavesInputs):
    """y = σ(x)."""

    @staticmethod
    def forward(x):
        return x.sigmoid()

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        y = x.sigmoid()
        return grad_y * y * (1 - y)


class SigmoidWithFusedGradient(Sigmoid):
    """Backward is a kernel that autograd cannot look into: the second derivative in x is zero."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        y = x.detach().sigmoid()
        return grad_y * (y * (1 - y))


class SigmoidWithOpaqueGradient(Sigmoid):
    """Backward detaches x and grad_output both."""

    @staticmethod
    def backward(ctx, grad_y):
        return Sigmoid.backward(ctx, grad_y).detach()


def segment_squares(x, segment, count):
    """y[s] = Σ x[i]² over the rows i of segment s."""
    empty = x.new_zeros((count, *x.shape[1:]))
    return empty.index_add(0, segment, x * x)


class SegmentSquares(SavesInputs):
    """Sums of squares by segment; backward gathers."""

    @staticmethod
    def forward(x, segment, count):
        return segment_squares(x, segment, count)

    @staticmethod
    def backward(ctx, grad_y):
        x, segment = ctx.saved_tensors
        return 2 * x * grad_y[segment], None, None


class SegmentSquaresWithForeignGather(SegmentSquares):
    """The gather in backward is not linked to its own backward."""

    @staticmethod
    def backward(ctx, grad_y):
        x, segment = ctx.saved_tensors
        return 2 * x * grad_y.detach()[segment], None, None


class CubeSlope(SavesInputs):
    """3 x² grad_y, as a Function with its own gradients."""

    @staticmethod
    def forward(x, grad_y):
        return 3 * x * x * grad_y

    @staticmethod
    def backward(ctx, grad_grad_x):
        x, grad_y = ctx.saved_tensors
        return 6 * x * grad_y * grad_grad_x, 3 * x * x * grad_grad_x


class CubeSlopeForgettingX(CubeSlope):
    """Returns None for x."""

    @staticmethod
    def backward(ctx, grad_grad_x):
        x, _ = ctx.saved_tensors
        return None, 3 * x * x * grad_grad_x


class CubeSlopeWithWrongFactor(CubeSlope):
    """3 x where 6 x is due."""

    @staticmethod
    def backward(ctx, grad_grad_x):
        x, grad_y = ctx.saved_tensors
        return 3 * x * grad_y * grad_grad_x, 3 * x * x * grad_grad_x


class Cube(SavesInputs):
    """y = x³, with a handwritten second order."""

    @staticmethod
    def forward(x):
        return x**3

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return CubeSlope.apply(x, grad_y)


class CubeOfConstantSlope(Cube):
    """Its slope does not depend on x, says the second order."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return CubeSlopeForgettingX.apply(x, grad_y)


class CubeWithWrongSecondOrder(Cube):
    """The handwritten second order is half of what it should be."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return CubeSlopeWithWrongFactor.apply(x, grad_y)


def segmented(generator):
    return normal(generator, 7, 3), indices(generator, 4, 7), 4


def second_order_bug(name, wrong, right, reference, inputs, source):
    causes = ("second-order-wrong",)
    return PlantedBug(name, wrong, right, reference, inputs, inputs, causes, source, True)


BUGS = (
    second_order_bug(
        "doubled square keeps an intermediate of forward",
        DoubledSquareOfKeptIntermediate,
        DoubledSquare,
        lambda x: (2 * x) ** 2,
        normals((4, 3)),
        "pytorch/pytorch#58509",
    ),
    second_order_bug(
        "segment squares gather without a backward of the gather",
        SegmentSquaresWithForeignGather,
        SegmentSquares,
        segment_squares,
        segmented,
        "rusty1s/pytorch_scatter#299",
    ),
    second_order_bug(
        "sigmoid's fused gradient holds x constant",
        SigmoidWithFusedGradient,
        Sigmoid,
        torch.sigmoid,
        normals((5, 3)),
        "tensorflow/tensorflow#7403",
    ),
    second_order_bug(
        "sigmoid's gradient is detached",
        SigmoidWithOpaqueGradient,
        Sigmoid,
        torch.sigmoid,
        normals((3, 4)),
        "tensorflow/tensorflow#5876",
    ),
    second_order_bug(
        "cube's inner rule returns None for x",
        CubeOfConstantSlope,
        Cube,
        lambda x: x**3,
        normals((5, 4)),
        "jax-ml/jax#21220",
    ),
    second_order_bug(
        "cube's second order is halved",
        CubeWithWrongSecondOrder,
        Cube,
        lambda x: x**3,
        normals((4, 6)),
        "a handwritten double backward",
    ),
)
