"""The gradient times a number, a sign, or a forgotten local derivative."""

import torch
from torch.nn import functional as F

from .planted import PlantedBug, SavesInputs, normal, normals


class Dropout(SavesInputs):
    """y = x * mask / (1 - p), with a mask that the caller drew."""

    @staticmethod
    def forward(x, mask, p):
        return x * mask / (1 - p)

    @staticmethod
    def backward(ctx, grad_y):
        _, mask = ctx.saved_tensors
        (p,) = ctx.options
        return grad_y * mask / (1 - p), None, None


class DropoutTimesP(Dropout):
    """Multiplies by p instead of dividing by 1 - p."""

    @staticmethod
    def backward(ctx, grad_y):
        _, mask = ctx.saved_tensors
        (p,) = ctx.options
        return grad_y * mask * p, None, None


class Square(SavesInputs):
    """y = x²."""

    @staticmethod
    def forward(x):
        return x * x

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return 2 * x * grad_y


class SquareWithoutTwo(Square):
    """The power rule without its exponent."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return x * grad_y


class SquareNineTenThousandthsTooLarge(Square):
    """Wrong by less than the usual relative tolerance of one in a thousand."""

    @staticmethod
    def backward(ctx, grad_y):
        return Square.backward(ctx, grad_y) * (1 + 9e-4)


class SoftmaxAtTemperature(SavesInputs):
    """y = softmax(x / temperature)."""

    @staticmethod
    def forward(x, temperature):
        return (x / temperature).softmax(-1)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        (temperature,) = ctx.options
        y = (x / temperature).softmax(-1)
        return y * (grad_y - (grad_y * y).sum(-1, keepdim=True)) / temperature, None


class SoftmaxAtForgottenTemperature(SoftmaxAtTemperature):
    """The inner derivative 1 / temperature is missing; a temperature of one hides it."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        (temperature,) = ctx.options
        y = (x / temperature).softmax(-1)
        return y * (grad_y - (grad_y * y).sum(-1, keepdim=True)), None


class Subtract(SavesInputs):
    """y = minuend - subtrahend."""

    @staticmethod
    def forward(minuend, subtrahend):
        return minuend - subtrahend

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y, -grad_y


class SubtractWithoutMinus(Subtract):
    """The second gradient has the wrong sign."""

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y, grad_y.clone()


class Cos(SavesInputs):
    """y = cos x."""

    @staticmethod
    def forward(x):
        return x.cos()

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return -grad_y * x.sin()


class CosWithoutMinus(Cos):
    """The derivative of the cosine without its minus."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * x.sin()


class SigmoidLayer(SavesInputs):
    """y = σ(x @ weight + bias)."""

    @staticmethod
    def forward(x, weight, bias):
        return torch.addmm(bias, x, weight).sigmoid()

    @staticmethod
    def backward(ctx, grad_y):
        x, weight, bias = ctx.saved_tensors
        y = torch.addmm(bias, x, weight).sigmoid()
        grad_z = grad_y * y * (1 - y)
        return grad_z @ weight.t(), x.t() @ grad_z, grad_z.sum(0)


class SigmoidLayerWithoutSlope(SigmoidLayer):
    """σ' is missing."""

    @staticmethod
    def backward(ctx, grad_y):
        x, weight, _ = ctx.saved_tensors
        return grad_y @ weight.t(), x.t() @ grad_y, grad_y.sum(0)


class Tanh(SavesInputs):
    """y = tanh x."""

    @staticmethod
    def forward(x):
        return x.tanh()

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * (1 - x.tanh() ** 2)


class TanhWithoutSlope(Tanh):
    """Passes grad_output through as if tanh were the identity."""

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y


def masked(generator):
    x = normal(generator, 5, 4)
    mask = (torch.rand(5, 4, generator=generator) > 0.3).to(torch.float64)
    return x, mask, 0.3


def rows_at_temperature(temperature):
    def draw(generator):
        return normal(generator, 3, 5), temperature

    return draw


BUGS = (
    PlantedBug(
        name="dropout multiplies by p",
        wrong=DropoutTimesP,
        right=Dropout,
        reference=lambda x, mask, p: x * mask / (1 - p),
        ordinary=masked,
        tripping=masked,
        causes=("constant-factor",),
        source="NVIDIA/apex#816",
    ),
    PlantedBug(
        name="square forgets the two",
        wrong=SquareWithoutTwo,
        right=Square,
        reference=torch.square,
        ordinary=normals((4, 5)),
        tripping=normals((4, 5)),
        causes=("constant-factor",),
        source="datascience.stackexchange 71843",
    ),
    PlantedBug(
        name="square is too large by nine ten-thousandths",
        wrong=SquareNineTenThousandthsTooLarge,
        right=Square,
        reference=torch.square,
        ordinary=normals((6, 3)),
        tripping=normals((6, 3)),
        causes=("constant-factor",),
        source="inside the tolerance of torch.autograd.gradcheck",
    ),
    PlantedBug(
        name="softmax forgets its temperature",
        wrong=SoftmaxAtForgottenTemperature,
        right=SoftmaxAtTemperature,
        reference=lambda x, temperature: (x / temperature).softmax(-1),
        ordinary=rows_at_temperature(1.0),
        tripping=rows_at_temperature(2.5),
        causes=("constant-factor",),
        source="a scalar option forgotten in backward",
    ),
    PlantedBug(
        name="subtraction forgets the minus",
        wrong=SubtractWithoutMinus,
        right=Subtract,
        reference=torch.sub,
        ordinary=normals((4, 3), (4, 3)),
        tripping=normals((4, 3), (4, 3)),
        causes=("sign-flipped",),
        source="a sign lost in the derivation",
    ),
    PlantedBug(
        name="cosine forgets the minus",
        wrong=CosWithoutMinus,
        right=Cos,
        reference=torch.cos,
        ordinary=normals((3, 4)),
        tripping=normals((3, 4)),
        causes=("sign-flipped",),
        source="a sign lost in the derivation",
    ),
    PlantedBug(
        name="sigmoid layer forgets the slope of the sigmoid",
        wrong=SigmoidLayerWithoutSlope,
        right=SigmoidLayer,
        reference=lambda x, weight, bias: F.linear(x, weight.t(), bias).sigmoid(),
        ordinary=normals((5, 3), (3, 4), (4,)),
        tripping=normals((5, 3), (3, 4), (4,)),
        causes=("missing-local-derivative",),
        source="stackoverflow 59399842",
    ),
    PlantedBug(
        name="tanh passes grad_output through",
        wrong=TanhWithoutSlope,
        right=Tanh,
        reference=torch.tanh,
        ordinary=normals((4, 6)),
        tripping=normals((4, 6)),
        causes=("missing-local-derivative",),
        source="stackoverflow 59399842",
    ),
)
