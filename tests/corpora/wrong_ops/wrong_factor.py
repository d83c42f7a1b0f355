"""The gradient times a number, a sign, or a forgotten local derivative."""

import torch

from tests.random_inputs import normal, normals

from .planted import wrong_backward
from .right_rules import Square, Tanh
from .rule import Rule


class Dropout(Rule):
    """y = x * mask / (1 - p), with a mask that the caller drew."""

    @staticmethod
    def forward(x, mask, p):
        return x * mask / (1 - p)

    @staticmethod
    def gradients(grad_y, x, mask, p):
        return grad_y * mask / (1 - p), None, None


def masked(generator):
    x = normal(generator, 5, 4)
    mask = (torch.rand(5, 4, generator=generator) > 0.3).to(torch.float64)
    return x, mask, 0.3


@wrong_backward(Dropout, "constant-factor", inputs=masked, source="NVIDIA/apex#816")
def dropout_multiplies_by_p(grad_y, x, mask, p):
    return grad_y * mask * p, None, None


@wrong_backward(
    Square, "constant-factor", inputs=normals((4, 5)), source="datascience.stackexchange 71843"
)
def square_forgets_the_two(grad_y, x):
    """The power rule without its exponent."""
    return x * grad_y


@wrong_backward(
    Square,
    "constant-factor",
    inputs=normals((6, 3)),
    source="inside the tolerance of torch.autograd.gradcheck",
)
def square_is_too_large_by_nine_ten_thousandths(grad_y, x):
    """Wrong by less than the usual relative tolerance of one in a thousand."""
    return Square.gradients(grad_y, x) * (1 + 9e-4)


class SoftmaxAtTemperature(Rule):
    """y = softmax(x / temperature)."""

    @staticmethod
    def forward(x, temperature):
        return (x / temperature).softmax(-1)

    @staticmethod
    def gradients(grad_y, x, temperature):
        y = (x / temperature).softmax(-1)
        return y * (grad_y - (grad_y * y).sum(-1, keepdim=True)) / temperature, None


def rows_at_temperature(temperature):
    def draw(generator):
        return normal(generator, 3, 5), temperature

    return draw


@wrong_backward(
    SoftmaxAtTemperature,
    "constant-factor",
    ordinary=rows_at_temperature(1.0),
    tripping=rows_at_temperature(2.5),
    source="a scalar option forgotten in backward",
)
def softmax_forgets_its_temperature(grad_y, x, temperature):
    """The inner derivative 1 / temperature is missing; a temperature of one hides it."""
    y = (x / temperature).softmax(-1)
    return y * (grad_y - (grad_y * y).sum(-1, keepdim=True)), None


class Subtract(Rule):
    """y = minuend - subtrahend."""

    @staticmethod
    def forward(minuend, subtrahend):
        return minuend - subtrahend

    @staticmethod
    def gradients(grad_y, minuend, subtrahend):
        return grad_y, -grad_y


@wrong_backward(
    Subtract, "sign-flipped", inputs=normals((4, 3), (4, 3)), source="a sign lost in the derivation"
)
def subtraction_forgets_the_minus(grad_y, minuend, subtrahend):
    return grad_y, grad_y.clone()


class Cos(Rule):
    """y = cos x."""

    @staticmethod
    def forward(x):
        return x.cos()

    @staticmethod
    def gradients(grad_y, x):
        return -grad_y * x.sin()


@wrong_backward(Cos, "sign-flipped", inputs=normals((3, 4)), source="a sign lost in the derivation")
def cosine_forgets_the_minus(grad_y, x):
    return grad_y * x.sin()


class SigmoidLayer(Rule):
    """y = σ(x @ weight + bias)."""

    @staticmethod
    def forward(x, weight, bias):
        return torch.addmm(bias, x, weight).sigmoid()

    @staticmethod
    def gradients(grad_y, x, weight, bias):
        y = torch.addmm(bias, x, weight).sigmoid()
        grad_z = grad_y * y * (1 - y)
        return grad_z @ weight.t(), x.t() @ grad_z, grad_z.sum(0)


@wrong_backward(
    SigmoidLayer,
    "missing-local-derivative",
    inputs=normals((5, 3), (3, 4), (4,)),
    source="stackoverflow 59399842",
)
def sigmoid_layer_forgets_the_slope_of_the_sigmoid(grad_y, x, weight, bias):
    return grad_y @ weight.t(), x.t() @ grad_y, grad_y.sum(0)


@wrong_backward(
    Tanh, "missing-local-derivative", inputs=normals((4, 6)), source="stackoverflow 59399842"
)
def tanh_passes_grad_output_through(grad_y, x):
    """Passes grad_output through as if tanh were the identity."""
    return grad_y
