"""Linear layers that ask ctx which gradients are needed."""

import torch
from torch import nn
from torch.autograd import Function
from torch.nn import functional as F

from tests.random_inputs import normal, normals, seeded

from .by_hand import backward_of, by_hand, wrong


@wrong(
    "order of returns",
    ("swapped-arguments",),
    "square matrices: the gradients of x and weight are exchanged",
    "grad_weight, grad_input for grad_input, grad_weight",
    tripping=normals((4, 4), (4, 4), (4,)),
)
@wrong(
    "bias with the weight",
    ("depends-on-requires-grad",),
    "the bias gets a gradient only where the weight needs one",
    "triton-lang/triton#90",
)
@wrong(
    "positions shifted",
    ("depends-on-requires-grad",),
    "x's gradient is made where the weight needs one, and the other way round",
    "needs_input_grad read at a wrong position",
)
@backward_of(
    F.linear, normals((3, 4), (5, 4), (5,)), forward=lambda x, weight, bias: x @ weight.t() + bias
)
def linear(slip, grad_y, x, weight, needs_input_grad):
    needs_x, needs_weight, needs_bias = needs_input_grad
    if slip == "positions shifted":
        needs_x, needs_weight = needs_weight, needs_x
    if slip == "bias with the weight":
        needs_bias = needs_weight
    grad_x = grad_y @ weight if needs_x else None
    grad_weight = grad_y.t() @ x if needs_weight else None
    grad_bias = grad_y.sum(0) if needs_bias else None
    if slip == "order of returns":
        return grad_weight, grad_x, grad_bias
    return grad_x, grad_weight, grad_bias


@backward_of(
    lambda x, weight, bias: x @ weight + bias,
    normals((5, 4), (4, 3), (3,)),
    forward=lambda x, weight, bias: torch.addmm(bias, x, weight),
)
def affine(_, grad_y, x, weight, needs_input_grad):
    needs_x, needs_weight, needs_bias = needs_input_grad
    grad_x = grad_y @ weight.T if needs_x else None
    grad_weight = x.T @ grad_y if needs_weight else None
    return grad_x, grad_weight, grad_y.sum(0) if needs_bias else None


class Layer(nn.Module):
    """y = x weight + bias with a frozen bias; the last output is kept, to be logged."""

    def __init__(self, product):
        super().__init__()
        generator = seeded(1)
        self.weight = nn.Parameter(normal(generator, 4, 3))
        self.bias = nn.Parameter(normal(generator, 3).detach(), requires_grad=False)
        self.product = product

    def forward(self, x):
        y = self.product(x, self.weight, self.bias)
        self.last = y.detach()
        return y


@by_hand(Layer(affine.reference), normals((5, 4)))
def layer_with_a_frozen_bias(_):
    return Layer(affine.written().apply)


@backward_of(torch.add, normals((3, 4), (4,)), forward=lambda x, bias: x + bias)
def sum_left_unreduced(_, grad_y):
    """Autograd sums a gradient over what was broadcast: none has to be reduced by hand."""
    return grad_y, grad_y


@by_hand(lambda x, weight: torch.sin(x * weight), normals((3, 4), (3, 4)))
def sine_of_product(_):
    class SineOfProduct(Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x, weight):
            return torch.sin(x * weight)

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, grad_y):
            x, weight = ctx.saved_tensors
            grad_product = grad_y * torch.cos(x * weight)
            return grad_product * weight, grad_product * x

    return SineOfProduct
