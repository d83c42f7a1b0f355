"""First order right, second order silently wrong."""

from tests.random_inputs import indices, normal, normals

from .planted import at, wrong_backward, wrong_function
from .rule import gradients_of


@gradients_of(lambda x: (2 * x) ** 2)
def DoubledSquare(grad_y, x):
    """y = (2 x)²."""
    return 8 * x * grad_y


@wrong_function(
    DoubledSquare, "second-order-wrong", source="pytorch/pytorch#58509", behavioural=True
)
@at(normals((4, 3)))
class DoubledSquareKeepsAnIntermediateOfForward(DoubledSquare):
    """2 x is kept from forward as an attribute, so that it is a constant ever after."""

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.doubled = 2 * inputs[0]

    @staticmethod
    def backward(ctx, grad_y):
        return 4 * ctx.doubled * grad_y


@gradients_of(lambda x: x.sigmoid())
def Sigmoid(grad_y, x):
    """y = σ(x)."""
    y = x.sigmoid()
    return grad_y * y * (1 - y)


@wrong_backward(
    Sigmoid, "second-order-wrong", source="tensorflow/tensorflow#7403", behavioural=True
)
@at(normals((5, 3)))
def sigmoids_fused_gradient_holds_x_constant(grad_y, x):
    """Backward is a kernel that autograd cannot look into: the second derivative in x is zero."""
    y = x.detach().sigmoid()
    return grad_y * (y * (1 - y))


@wrong_backward(
    Sigmoid, "second-order-wrong", source="tensorflow/tensorflow#5876", behavioural=True
)
@at(normals((3, 4)))
def sigmoids_gradient_is_detached(grad_y, x):
    """Backward detaches x and grad_output both."""
    return Sigmoid.gradients(grad_y, x).detach()


def segment_squares(x, segment, count):
    """y[s] = Σ x[i]² over the rows i of segment s."""
    empty = x.new_zeros((count, *x.shape[1:]))
    return empty.index_add(0, segment, x * x)


@gradients_of(segment_squares)
def SegmentSquares(grad_y, x, segment, count):
    """Sums of squares by segment; backward gathers."""
    return 2 * x * grad_y[segment], None, None


def segmented(generator):
    return normal(generator, 7, 3), indices(generator, 4, 7), 4


@wrong_backward(
    SegmentSquares, "second-order-wrong", source="rusty1s/pytorch_scatter#299", behavioural=True
)
@at(segmented)
def segment_squares_gather_without_a_backward_of_the_gather(grad_y, x, segment, count):
    """The gather in backward is not linked to its own backward."""
    return 2 * x * grad_y.detach()[segment], None, None


@gradients_of(lambda x, grad_y: 3 * x * x * grad_y)
def CubeSlope(grad_grad_x, x, grad_y):
    """3 x² grad_y, as a Function with its own gradients."""
    return 6 * x * grad_y * grad_grad_x, 3 * x * x * grad_grad_x


@gradients_of(CubeSlope.forward)
def CubeSlopeForgettingX(grad_grad_x, x, grad_y):
    """Returns None for x."""
    return None, 3 * x * x * grad_grad_x


@gradients_of(CubeSlope.forward)
def CubeSlopeWithWrongFactor(grad_grad_x, x, grad_y):
    """3 x where 6 x is due."""
    return 3 * x * grad_y * grad_grad_x, 3 * x * x * grad_grad_x


@gradients_of(lambda x: x**3)
def Cube(grad_y, x):
    """y = x³, with a handwritten second order."""
    return CubeSlope.apply(x, grad_y)


@wrong_backward(Cube, "second-order-wrong", source="jax-ml/jax#21220", behavioural=True)
@at(normals((5, 4)))
def cubes_inner_rule_returns_none_for_x(grad_y, x):
    """Its slope does not depend on x, says the second order."""
    return CubeSlopeForgettingX.apply(x, grad_y)


@wrong_backward(
    Cube, "second-order-wrong", source="a handwritten double backward", behavioural=True
)
@at(normals((4, 6)))
def cubes_second_order_is_halved(grad_y, x):
    """The handwritten second order is half of what it should be."""
    return CubeSlopeWithWrongFactor.apply(x, grad_y)
