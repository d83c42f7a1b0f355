"""Gradients that hang on which other inputs need one, and inputs that may be absent."""

import torch
from torch.nn import functional as F

from .planted import PlantedBug, SavesInputs, indices, normal, normals


class Multiply(SavesInputs):
    """y = left * right."""

    @staticmethod
    def forward(left, right):
        return left * right

    @staticmethod
    def backward(ctx, grad_y):
        left, right = ctx.saved_tensors
        return (grad_y * right).sum_to_size(left.shape), (grad_y * left).sum_to_size(right.shape)


class MultiplyBehindFirstFlag(Multiply):
    """Freezing left takes the gradient of right away."""

    @staticmethod
    def backward(ctx, grad_y):
        if not ctx.needs_input_grad[0]:
            return None, None
        return Multiply.backward(ctx, grad_y)


def weighted_bags(weight, index, sample_weight):
    """y[bag] = Σ sample_weight[bag, i] weight[index[bag, i]]."""
    return (weight[index] * sample_weight.unsqueeze(-1)).sum(-2)


class WeightedBags(SavesInputs):
    """An embedding bag with a weight for every sample."""

    @staticmethod
    def forward(weight, index, sample_weight):
        return weighted_bags(weight, index, sample_weight)

    @staticmethod
    def backward(ctx, grad_y):
        weight, index, sample_weight = ctx.saved_tensors
        grad_bag = grad_y.unsqueeze(-2)
        grad_rows = grad_bag * sample_weight.unsqueeze(-1)
        grad_weight = torch.zeros_like(weight).index_put((index,), grad_rows, accumulate=True)
        return grad_weight, None, (grad_bag * weight[index]).sum(-1)


class WeightedBagsOfFrozenWeight(WeightedBags):
    """A frozen weight takes the gradient of sample_weight away."""

    @staticmethod
    def backward(ctx, grad_y):
        if not ctx.needs_input_grad[0]:
            return None, None, None
        return WeightedBags.backward(ctx, grad_y)


class Linear(SavesInputs):
    """y = x @ weightᵀ + bias, where bias may be None."""

    @staticmethod
    def forward(x, weight, bias):
        return F.linear(x, weight, bias)

    @staticmethod
    def backward(ctx, grad_y):
        x, weight, *bias = ctx.saved_tensors
        grad_weight = grad_y.reshape(-1, len(weight)).t() @ x.reshape(-1, x.shape[-1])
        grad_bias = grad_y.reshape(-1, len(weight)).sum(0) if bias else None
        return grad_y @ weight, grad_weight, grad_bias


class LinearAssumingBias(Linear):
    """Asks an absent bias for its dtype."""

    @staticmethod
    def backward(ctx, grad_y):
        _, weight, *bias = ctx.saved_tensors
        grad_x, grad_weight, _ = Linear.backward(ctx, grad_y)
        return grad_x, grad_weight, grad_y.reshape(-1, len(weight)).sum(0).to(bias[0].dtype)


class LinearOfFrozenWeight(Linear):
    """With a frozen weight the gradient of x is halved by a branch nobody tested."""

    @staticmethod
    def backward(ctx, grad_y):
        grad_x, grad_weight, grad_bias = Linear.backward(ctx, grad_y)
        return grad_x if ctx.needs_input_grad[1] else grad_x / 2, grad_weight, grad_bias


def bags(generator):
    return normal(generator, 7, 3), indices(generator, 7, 4, 2), normal(generator, 4, 2)


def without_bias(generator):
    return normal(generator, 5, 3), normal(generator, 4, 3), None


BUGS = (
    PlantedBug(
        name="product drops both gradients when left is frozen",
        wrong=MultiplyBehindFirstFlag,
        right=Multiply,
        reference=torch.mul,
        ordinary=normals((4, 3), (4, 3)),
        tripping=normals((4, 3), (4, 3)),
        causes=("depends-on-requires-grad",),
        source="fbcotter/pytorch_wavelets#65",
        behavioural=True,
    ),
    PlantedBug(
        name="bags drop sample_weight's gradient when weight is frozen",
        wrong=WeightedBagsOfFrozenWeight,
        right=WeightedBags,
        reference=weighted_bags,
        ordinary=bags,
        tripping=bags,
        causes=("depends-on-requires-grad",),
        source="pytorch/pytorch#136457",
        behavioural=True,
    ),
    PlantedBug(
        name="linear halves grad_x when weight is frozen",
        wrong=LinearOfFrozenWeight,
        right=Linear,
        reference=F.linear,
        ordinary=normals((5, 3), (4, 3), (4,)),
        tripping=normals((5, 3), (4, 3), (4,)),
        causes=("depends-on-requires-grad",),
        source="an untested branch on needs_input_grad",
        behavioural=True,
    ),
    PlantedBug(
        name="linear asks an absent bias for its dtype",
        wrong=LinearAssumingBias,
        right=Linear,
        reference=F.linear,
        ordinary=normals((5, 3), (4, 3), (4,)),
        tripping=without_bias,
        causes=("raises",),
        source="Dao-AILab/causal-conv1d#61",
    ),
)
