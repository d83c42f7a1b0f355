"""The gradient times a number, a sign, or a forgotten local derivative."""

import torch

from tests.random_inputs import followed_by, normal, normals

from .planted import at, wrong_backward
from .right_rules import Square, Tanh
from .rule import gradients_of


@gradients_of(lambda x, mask, p: x * mask / (1 - p))
def Dropout(grad_y, x, mask, p):
    """y = x * mask / (1 - p), with a mask that the caller drew."""
    return grad_y * mask / (1 - p), None, None


def masked(generator):
    x = normal(generator, 5, 4)
    mask = (torch.rand(5, 4, generator=generator) > 0.3).to(torch.float64)
    return x, mask, 0.3


@wrong_backward(Dropout, "constant-factor", source="NVIDIA/apex#816")
@at(masked)
def dropout_multiplies_by_p(grad_y, x, mask, p):
    return grad_y * mask * p, None, None


@wrong_backward(Square, "constant-factor", source="datascience.stackexchange 71843")
@at(normals((4, 5)))
def square_forgets_the_two(grad_y, x):
    """The power rule without its exponent."""
    return x * grad_y


@wrong_backward(
    Square, "constant-factor", source="inside the tolerance of torch.autograd.gradcheck"
)
@at(normals((6, 3)))
def square_is_too_large_by_nine_ten_thousandths(grad_y, x):
    """Wrong by less than the usual relative tolerance of one in a thousand."""
    return Square.gradients(grad_y, x) * (1 + 9e-4)


@gradients_of(lambda x, temperature: (x / temperature).softmax(-1))
def SoftmaxAtTemperature(grad_y, x, temperature):
    """y = softmax(x / temperature)."""
    y = (x / temperature).softmax(-1)
    return y * (grad_y - (grad_y * y).sum(-1, keepdim=True)) / temperature, None


@wrong_backward(
    SoftmaxAtTemperature, "constant-factor", source="a scalar option forgotten in backward"
)
@at(followed_by(normals((3, 5)), 1.0), tripping=followed_by(normals((3, 5)), 2.5))
def softmax_forgets_its_temperature(grad_y, x, temperature):
    """The inner derivative 1 / temperature is missing; a temperature of one hides it."""
    y = (x / temperature).softmax(-1)
    return y * (grad_y - (grad_y * y).sum(-1, keepdim=True)), None


@gradients_of(lambda minuend, subtrahend: minuend - subtrahend)
def Subtract(grad_y, minuend, subtrahend):
    """y = minuend - subtrahend."""
    return grad_y, -grad_y


@wrong_backward(Subtract, "sign-flipped", source="a sign lost in the derivation")
@at(normals((4, 3), (4, 3)))
def subtraction_forgets_the_minus(grad_y, minuend, subtrahend):
    return grad_y, grad_y.clone()


@gradients_of(lambda x: x.cos())
def Cos(grad_y, x):
    """y = cos x."""
    return -grad_y * x.sin()


@wrong_backward(Cos, "sign-flipped", source="a sign lost in the derivation")
@at(normals((3, 4)))
def cosine_forgets_the_minus(grad_y, x):
    return grad_y * x.sin()


@gradients_of(lambda x, weight, bias: torch.addmm(bias, x, weight).sigmoid())
def SigmoidLayer(grad_y, x, weight, bias):
    """y = σ(x @ weight + bias)."""
    y = torch.addmm(bias, x, weight).sigmoid()
    grad_z = grad_y * y * (1 - y)
    return grad_z @ weight.t(), x.t() @ grad_z, grad_z.sum(0)


@wrong_backward(SigmoidLayer, "missing-local-derivative", source="stackoverflow 59399842")
@at(normals((5, 3), (3, 4), (4,)))
def sigmoid_layer_forgets_the_slope_of_the_sigmoid(grad_y, x, weight, bias):
    return grad_y @ weight.t(), x.t() @ grad_y, grad_y.sum(0)


@wrong_backward(Tanh, "missing-local-derivative", source="stackoverflow 59399842")
@at(normals((4, 6)))
def tanh_passes_grad_output_through(grad_y, x):
    """Passes grad_output through as if tanh were the identity."""
    return grad_y
