"""A network of two sigmoid layers with mean squared error, and what learners do to its backward.

N rows, D inputs, H hidden units, O outputs; z is before an activation, a after it, delta is the
gradient of the loss in z.
"""

# ruff: noqa: N803, N806 - W1 and W2 are the lectures' names

import torch
from torch.nn import functional as F

from .planted import PlantedBug, SavesInputs, normals, positive

LEARNING_RATE = 0.1


def layers(x, W1, b1, W2, b2):
    a1 = torch.addmm(b1, x, W1).sigmoid()
    return a1, torch.addmm(b2, a1, W2).sigmoid()


def network_loss(x, W1, b1, W2, b2, target):
    return F.mse_loss(layers(x, W1, b1, W2, b2)[1], target)


def slope(a):
    """σ' expressed in a = σ(z)."""
    return a * (1 - a)


def grad_output_layer(ctx, grad_loss):
    """delta of the output layer."""
    x, W1, b1, W2, b2, target = ctx.saved_tensors
    _, a2 = layers(x, W1, b1, W2, b2)
    return grad_loss * 2 * (a2 - target) / target.numel() * slope(a2)


def grad_parameters(ctx, delta1, delta2):
    x, W1, b1, W2, b2, _ = ctx.saved_tensors
    a1, _ = layers(x, W1, b1, W2, b2)
    return delta1 @ W1.t(), x.t() @ delta1, delta1.sum(0), a1.t() @ delta2, delta2.sum(0), None


class TwoLayerNetwork(SavesInputs):
    """loss = mean (σ(σ(x W1 + b1) W2 + b2) - target)²."""

    @staticmethod
    def forward(x, W1, b1, W2, b2, target):
        return network_loss(x, W1, b1, W2, b2, target)

    @staticmethod
    def backward(ctx, grad_loss):
        x, W1, b1, W2, b2, _ = ctx.saved_tensors
        a1, _ = layers(x, W1, b1, W2, b2)
        delta2 = grad_output_layer(ctx, grad_loss)
        delta1 = delta2 @ W2.t() * slope(a1)
        return grad_parameters(ctx, delta1, delta2)


class NetworkWithoutTwo(TwoLayerNetwork):
    """The 2 of the squared error is forgotten."""

    @staticmethod
    def backward(ctx, grad_loss):
        return TwoLayerNetwork.backward(ctx, grad_loss / 2)


class NetworkWithoutMean(TwoLayerNetwork):
    """The mean of the loss is forgotten: N·O times too large."""

    @staticmethod
    def backward(ctx, grad_loss):
        return TwoLayerNetwork.backward(ctx, grad_loss * ctx.saved_tensors[-1].numel())


class NetworkOverBatch(TwoLayerNetwork):
    """Divided by N in place of N·O."""

    @staticmethod
    def backward(ctx, grad_loss):
        return TwoLayerNetwork.backward(ctx, grad_loss * ctx.saved_tensors[-1].shape[1])


class NetworkWithFlippedError(TwoLayerNetwork):
    """target - a2 in place of a2 - target."""

    @staticmethod
    def backward(ctx, grad_loss):
        return TwoLayerNetwork.backward(ctx, -grad_loss)


class NetworkWithSlopeOfPreActivation(TwoLayerNetwork):
    """σ' is written z (1 - z)."""

    @staticmethod
    def backward(ctx, grad_loss):
        x, W1, b1, W2, _, _ = ctx.saved_tensors
        delta2 = grad_output_layer(ctx, grad_loss)
        delta1 = delta2 @ W2.t() * slope(torch.addmm(b1, x, W1))
        return grad_parameters(ctx, delta1, delta2)


class NetworkWithDoubleSigmoid(TwoLayerNetwork):
    """σ' is evaluated at a, which is a sigmoid already."""

    @staticmethod
    def backward(ctx, grad_loss):
        x, W1, b1, W2, b2, _ = ctx.saved_tensors
        a1, _ = layers(x, W1, b1, W2, b2)
        delta2 = grad_output_layer(ctx, grad_loss)
        delta1 = delta2 @ W2.t() * slope(a1.sigmoid())
        return grad_parameters(ctx, delta1, delta2)


class NetworkWithoutOutputSlope(TwoLayerNetwork):
    """σ' of the output layer is forgotten."""

    @staticmethod
    def backward(ctx, grad_loss):
        x, W1, b1, W2, b2, target = ctx.saved_tensors
        a1, a2 = layers(x, W1, b1, W2, b2)
        delta2 = grad_loss * 2 * (a2 - target) / target.numel()
        delta1 = delta2 @ W2.t() * slope(a1)
        return grad_parameters(ctx, delta1, delta2)


class NetworkWithoutHiddenSlope(TwoLayerNetwork):
    """σ' of the hidden layer is forgotten."""

    @staticmethod
    def backward(ctx, grad_loss):
        delta2 = grad_output_layer(ctx, grad_loss)
        delta1 = delta2 @ ctx.saved_tensors[3].t()
        return grad_parameters(ctx, delta1, delta2)


class NetworkSendingBackValues(TwoLayerNetwork):
    """The next layer's values travel back in place of its delta."""

    @staticmethod
    def backward(ctx, grad_loss):
        x, W1, b1, W2, b2, _ = ctx.saved_tensors
        a1, a2 = layers(x, W1, b1, W2, b2)
        delta1 = grad_loss * a2 @ W2.t() * slope(a1)
        return grad_parameters(ctx, delta1, grad_output_layer(ctx, grad_loss))


class NetworkUpdatingTooEarly(TwoLayerNetwork):
    """W2 is updated in backward, before the hidden layer needs it."""

    @staticmethod
    def backward(ctx, grad_loss):
        x, W1, b1, W2, b2, _ = ctx.saved_tensors
        a1, _ = layers(x, W1, b1, W2, b2)
        delta2 = grad_output_layer(ctx, grad_loss)
        W2.data.sub_(LEARNING_RATE * (a1.t() @ delta2).detach())
        delta1 = delta2 @ W2.t() * slope(a1)
        return grad_parameters(ctx, delta1, delta2)


class NetworkWithUpdatedWeight(TwoLayerNetwork):
    """The hidden delta uses a W2 that has already made its step."""

    @staticmethod
    def backward(ctx, grad_loss):
        x, W1, b1, W2, b2, _ = ctx.saved_tensors
        a1, _ = layers(x, W1, b1, W2, b2)
        delta2 = grad_output_layer(ctx, grad_loss)
        updated_W2 = W2 - LEARNING_RATE * a1.t() @ delta2
        delta1 = delta2 @ updated_W2.t() * slope(a1)
        return grad_parameters(ctx, delta1, delta2)


class NetworkWithAveragedBiases(TwoLayerNetwork):
    """Both bias gradients are means over the rows."""

    @staticmethod
    def backward(ctx, grad_loss):
        grad_x, grad_W1, grad_b1, grad_W2, grad_b2, _ = TwoLayerNetwork.backward(ctx, grad_loss)
        rows = len(grad_x)
        return grad_x, grad_W1, grad_b1 / rows, grad_W2, grad_b2 / rows, None


class NetworkWithTransposedWeight(TwoLayerNetwork):
    """delta1ᵀ x in place of xᵀ delta1: silent when there are as many inputs as hidden units."""

    @staticmethod
    def backward(ctx, grad_loss):
        grad_x, grad_W1, *others = TwoLayerNetwork.backward(ctx, grad_loss)
        return grad_x, grad_W1.t(), *others


class NetworkWithReshapedWeight(TwoLayerNetwork):
    """reshape where a transpose was meant: the shape is right, the order is not."""

    @staticmethod
    def backward(ctx, grad_loss):
        grad_x, grad_W1, *others = TwoLayerNetwork.backward(ctx, grad_loss)
        return grad_x, grad_W1.t().reshape(grad_W1.shape), *others


def network_of(rows, features, hidden, outputs):
    shapes = ((rows, features), (features, hidden), (hidden,), (hidden, outputs), (outputs,))

    def draw(generator):
        target = positive(generator, rows, outputs).detach() - 0.5
        return *normals(*shapes)(generator), target

    return draw


def network_bug(name, wrong, causes, source, inputs=None):
    inputs = inputs or network_of(5, 3, 4, 2)
    return PlantedBug(name, wrong, TwoLayerNetwork, network_loss, inputs, inputs, causes, source)


BUGS = (
    network_bug(
        "network forgets the two of the squared error",
        NetworkWithoutTwo,
        ("constant-factor",),
        "datascience.stackexchange 71843",
    ),
    network_bug(
        "network forgets the mean of the loss",
        NetworkWithoutMean,
        ("constant-factor",),
        "discuss.pytorch.org/t/190902",
    ),
    network_bug(
        "network divides by the batch alone",
        NetworkOverBatch,
        ("constant-factor",),
        "torch.nn.MSELoss averages over all elements",
    ),
    network_bug(
        "network flips the error",
        NetworkWithFlippedError,
        ("sign-flipped",),
        "stackoverflow 34692644",
    ),
    network_bug(
        "network takes the slope of z",
        NetworkWithSlopeOfPreActivation,
        ("missing-local-derivative", "missing-term"),
        "discuss.pytorch.org/t/187917",
    ),
    network_bug(
        "network applies the sigmoid twice in the slope",
        NetworkWithDoubleSigmoid,
        ("missing-local-derivative", "missing-term"),
        "whosebug 2948401",
    ),
    network_bug(
        "network forgets the slope of its output",
        NetworkWithoutOutputSlope,
        ("missing-local-derivative",),
        "stackoverflow 59399842",
    ),
    network_bug(
        "network forgets the slope of its hidden layer",
        NetworkWithoutHiddenSlope,
        ("missing-local-derivative",),
        "whosebug 2948401",
    ),
    network_bug(
        "network sends values back in place of deltas",
        NetworkSendingBackValues,
        ("missing-term", "missing-local-derivative"),
        "Basic neural network problem in training (XOR)",
    ),
    network_bug(
        "network updates its weights too early",
        NetworkUpdatingTooEarly,
        ("mutates-input", "mutates-saved"),
        "stackoverflow 6013429",
    ),
    network_bug(
        "network sends deltas through an updated weight",
        NetworkWithUpdatedWeight,
        ("not-linear-in-grad-output",),
        "ai.stackexchange 26136",
    ),
    network_bug(
        "network averages its bias gradients",
        NetworkWithAveragedBiases,
        ("constant-factor",),
        "datascience.stackexchange 20139",
    ),
    network_bug(
        "network transposes a square weight gradient",
        NetworkWithTransposedWeight,
        ("transposed",),
        "learnixo.io dl-chain-rule-calculus",
        network_of(5, 4, 4, 2),
    ),
    network_bug(
        "network reshapes where it should transpose",
        NetworkWithReshapedWeight,
        ("transposed",),
        "learnixo.io dl-chain-rule-calculus",
    ),
)
