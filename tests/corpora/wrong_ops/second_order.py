"""First order right, second order silently wrong."""

from tests.random_inputs import indices, normal, normals

from .planted import wrong_backward, wrong_function
from .rule import Rule


class DoubledSquare(Rule):
    """y = (2 x)²."""

    @staticmethod
    def forward(x):
        return (2 * x) ** 2

    @staticmethod
    def gradients(grad_y, x):
        return 8 * x * grad_y


@wrong_function(
    DoubledSquare,
    "second-order-wrong",
    inputs=normals((4, 3)),
    source="pytorch/pytorch#58509",
    behavioural=True,
)
class DoubledSquareKeepsAnIntermediateOfForward(DoubledSquare):
    """2 x is kept from forward as an attribute, so that it is a constant ever after."""

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.doubled = 2 * inputs[0]

    @staticmethod
    def backward(ctx, grad_y):
        return 4 * ctx.doubled * grad_y


class Sigmoid(Rule):
    """y = σ(x)."""

    @staticmethod
    def forward(x):
        return x.sigmoid()

    @staticmethod
    def gradients(grad_y, x):
        y = x.sigmoid()
        return grad_y * y * (1 - y)


@wrong_backward(
    Sigmoid,
    "second-order-wrong",
    inputs=normals((5, 3)),
    source="tensorflow/tensorflow#7403",
    behavioural=True,
)
def sigmoids_fused_gradient_holds_x_constant(grad_y, x):
    """Backward is a kernel that autograd cannot look into: the second derivative in x is zero."""
    y = x.detach().sigmoid()
    return grad_y * (y * (1 - y))


@wrong_backward(
    Sigmoid,
    "second-order-wrong",
    inputs=normals((3, 4)),
    source="tensorflow/tensorflow#5876",
    behavioural=True,
)
def sigmoids_gradient_is_detached(grad_y, x):
    """Backward detaches x and grad_output both."""
    return Sigmoid.gradients(grad_y, x).detach()


def segment_squares(x, segment, count):
    """y[s] = Σ x[i]² over the rows i of segment s."""
    empty = x.new_zeros((count, *x.shape[1:]))
    return empty.index_add(0, segment, x * x)


class SegmentSquares(Rule):
    """Sums of squares by segment; backward gathers."""

    forward = staticmethod(segment_squares)

    @staticmethod
    def gradients(grad_y, x, segment, count):
        return 2 * x * grad_y[segment], None, None


def segmented(generator):
    return normal(generator, 7, 3), indices(generator, 4, 7), 4


@wrong_backward(
    SegmentSquares,
    "second-order-wrong",
    inputs=segmented,
    source="rusty1s/pytorch_scatter#299",
    behavioural=True,
)
def segment_squares_gather_without_a_backward_of_the_gather(grad_y, x, segment, count):
    """The gather in backward is not linked to its own backward."""
    return 2 * x * grad_y.detach()[segment], None, None


class CubeSlope(Rule):
    """3 x² grad_y, as a Function with its own gradients."""

    @staticmethod
    def forward(x, grad_y):
        return 3 * x * x * grad_y

    @staticmethod
    def gradients(grad_grad_x, x, grad_y):
        return 6 * x * grad_y * grad_grad_x, 3 * x * x * grad_grad_x


class CubeSlopeForgettingX(CubeSlope):
    """Returns None for x."""

    @staticmethod
    def gradients(grad_grad_x, x, grad_y):
        return None, 3 * x * x * grad_grad_x


class CubeSlopeWithWrongFactor(CubeSlope):
    """3 x where 6 x is due."""

    @staticmethod
    def gradients(grad_grad_x, x, grad_y):
        return 3 * x * grad_y * grad_grad_x, 3 * x * x * grad_grad_x


class Cube(Rule):
    """y = x³, with a handwritten second order."""

    @staticmethod
    def forward(x):
        return x**3

    @staticmethod
    def gradients(grad_y, x):
        return CubeSlope.apply(x, grad_y)


@wrong_backward(
    Cube, "second-order-wrong", inputs=normals((5, 4)), source="jax-ml/jax#21220", behavioural=True
)
def cubes_inner_rule_returns_none_for_x(grad_y, x):
    """Its slope does not depend on x, says the second order."""
    return CubeSlopeForgettingX.apply(x, grad_y)


@wrong_backward(
    Cube,
    "second-order-wrong",
    inputs=normals((4, 6)),
    source="a handwritten double backward",
    behavioural=True,
)
def cubes_second_order_is_halved(grad_y, x):
    """The handwritten second order is half of what it should be."""
    return CubeSlopeWithWrongFactor.apply(x, grad_y)
