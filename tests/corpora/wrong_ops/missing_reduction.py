"""Sums over broadcast dimensions that are missing, averaged or hidden by the engine's repairs."""

from functools import partial

from tests.random_inputs import normals

from .planted import at, wrong_backward
from .right_rules import Multiply
from .rule import gradients_of


@at(normals((4, 3), (3,)))
@gradients_of(lambda x, bias: x + bias)
def AddBias(grad_y, x, bias):
    """y = x + bias, bias broadcast over the rows."""
    return grad_y.sum_to_size(x.shape), grad_y.sum_to_size(bias.shape)


wrong_bias = partial(wrong_backward, AddBias)


@wrong_bias(
    "missing-reduction", "wrong-shape", source="eclipse/deeplearning4j, nd4j#2424", behavioural=True
)
def bias_gradient_keeps_the_broadcast_shape(grad_y, x, bias):
    """The engine sums it in silence."""
    return grad_y, grad_y.clone()


@wrong_bias(
    "wrong-shape", "missing-reduction", source="datascience.stackexchange 20139", behavioural=True
)
def bias_gradient_keeps_a_dimension_of_size_one(grad_y, x, bias):
    """A row of shape (1, D)."""
    return grad_y, grad_y.sum(0, keepdim=True)


@wrong_bias("constant-factor", source="ROCm/TransformerEngine#336")
def bias_gradient_is_averaged_over_the_rows(grad_y, x, bias):
    return grad_y, grad_y.mean(0)


@wrong_bias("missing-reduction", "missing-term", source="one row in place of the sum")
def bias_gradient_is_the_first_row_alone(grad_y, x, bias):
    return grad_y, grad_y[0]


@wrong_bias(
    "wrong-dtype",
    "missing-reduction",
    "wrong-shape",
    source="a return that torch.autograd.gradcheck accepts",
    behavioural=True,
)
def bias_gradient_is_unreduced_and_float32(grad_y, x, bias):
    """The engine sums and casts in silence."""
    return grad_y, grad_y.float()


@wrong_bias(
    "wrong-dtype", source="a return that torch.autograd.gradcheck accepts", behavioural=True
)
def bias_gradient_is_float32(grad_y, x, bias):
    """Whatever the dtype of bias."""
    return grad_y, grad_y.sum(0).float()


@wrong_backward(
    Multiply, "missing-reduction", "wrong-shape", source="apache/tvm#2465", behavioural=True
)
@at(normals((5, 3), (5, 1)))
def row_scale_gradient_keeps_the_shape_of_x(grad_y, left, right):
    """The gradient of a column has the shape of the rows that it scales."""
    return grad_y * right, grad_y * left
