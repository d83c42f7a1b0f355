"""Gradients that hang on which other inputs need one, and inputs that may be absent."""

import torch

from tests.random_inputs import followed_by, indices, normal, normals

from .planted import at, wrong_backward, wrong_function
from .right_rules import Linear, Multiply
from .rule import gradients_of


@wrong_function(
    Multiply, "depends-on-requires-grad", source="fbcotter/pytorch_wavelets#65", behavioural=True
)
@at(normals((4, 3), (4, 3)))
class ProductDropsBothGradientsWhenLeftIsFrozen(Multiply):
    """Freezing left takes the gradient of right away."""

    @staticmethod
    def backward(ctx, grad_y):
        if not ctx.needs_input_grad[0]:
            return None, None
        return Multiply.backward(ctx, grad_y)


def weighted_bags(weight, index, sample_weight):
    """y[bag] = Σ sample_weight[bag, i] weight[index[bag, i]]."""
    return (weight[index] * sample_weight.unsqueeze(-1)).sum(-2)


@gradients_of(weighted_bags)
def WeightedBags(grad_y, weight, index, sample_weight):
    """An embedding bag with a weight for every sample."""
    grad_bag = grad_y.unsqueeze(-2)
    grad_rows = grad_bag * sample_weight.unsqueeze(-1)
    grad_weight = torch.zeros_like(weight).index_put((index,), grad_rows, accumulate=True)
    return grad_weight, None, (grad_bag * weight[index]).sum(-1)


def bags(generator):
    return normal(generator, 7, 3), indices(generator, 7, 4, 2), normal(generator, 4, 2)


@wrong_function(
    WeightedBags, "depends-on-requires-grad", source="pytorch/pytorch#136457", behavioural=True
)
@at(bags)
class BagsDropSampleWeightsGradientWhenWeightIsFrozen(WeightedBags):
    """A frozen weight takes the gradient of sample_weight away."""

    @staticmethod
    def backward(ctx, grad_y):
        if not ctx.needs_input_grad[0]:
            return None, None, None
        return WeightedBags.backward(ctx, grad_y)


@wrong_backward(Linear, "raises", source="Dao-AILab/causal-conv1d#61")
@at(normals((5, 3), (4, 3), (4,)), tripping=followed_by(normals((5, 3), (4, 3)), None))
def linear_asks_an_absent_bias_for_its_dtype(grad_y, x, weight, bias):
    grad_x, grad_weight, _ = Linear.gradients(grad_y, x, weight, bias)
    return grad_x, grad_weight, grad_y.reshape(-1, len(weight)).sum(0).to(bias.dtype)


@wrong_function(
    Linear,
    "depends-on-requires-grad",
    source="an untested branch on needs_input_grad",
    behavioural=True,
)
@at(normals((5, 3), (4, 3), (4,)))
class LinearHalvesGradXWhenWeightIsFrozen(Linear):
    """With a frozen weight the gradient of x is halved by a branch nobody tested."""

    @staticmethod
    def backward(ctx, grad_y):
        grad_x, grad_weight, grad_bias = Linear.backward(ctx, grad_y)
        return grad_x if ctx.needs_input_grad[1] else grad_x / 2, grad_weight, grad_bias
