"""A network of two sigmoid layers with mean squared error, and what learners do to its backward.

N rows, D inputs, H hidden units, O outputs; z is before an activation, a after it, delta is the
gradient of the loss in z.
"""

# ruff: noqa: N803, N806 - W1 and W2 are the lectures' names

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from tests.random_inputs import normals, positive

from .planted import at, wrong_backward
from .rule import gradients_of

LEARNING_RATE = 0.1


def slope(a):
    """σ' expressed in a = σ(z)."""
    return a * (1 - a)


class Network(NamedTuple):
    """The inputs of the rule, and what is computed from them."""

    x: Tensor
    W1: Tensor
    b1: Tensor
    W2: Tensor
    b2: Tensor
    target: Tensor

    @property
    def z1(self):
        return torch.addmm(self.b1, self.x, self.W1)

    @property
    def a1(self):
        return self.z1.sigmoid()

    @property
    def a2(self):
        return torch.addmm(self.b2, self.a1, self.W2).sigmoid()

    def grad_a2(self, grad_loss):
        return grad_loss * 2 * (self.a2 - self.target) / self.target.numel()

    def delta2(self, grad_loss):
        return self.grad_a2(grad_loss) * slope(self.a2)

    def delta1(self, delta2):
        return delta2 @ self.W2.t() * slope(self.a1)

    def gradients(self, delta1, delta2):
        grad_W1, grad_W2 = self.x.t() @ delta1, self.a1.t() @ delta2
        return delta1 @ self.W1.t(), grad_W1, delta1.sum(0), grad_W2, delta2.sum(0), None


def network_of(rows, features, hidden, outputs):
    shapes = ((rows, features), (features, hidden), (hidden,), (hidden, outputs), (outputs,))

    def draw(generator):
        target = positive(generator, rows, outputs).detach() - 0.5
        return *normals(*shapes)(generator), target

    return draw


@at(network_of(5, 3, 4, 2))
@gradients_of(
    lambda x, W1, b1, W2, b2, target: F.mse_loss(Network(x, W1, b1, W2, b2, target).a2, target)
)
def TwoLayerNetwork(grad_loss, *inputs):
    """loss = mean (σ(σ(x W1 + b1) W2 + b2) - target)²."""
    network = Network(*inputs)
    delta2 = network.delta2(grad_loss)
    return network.gradients(network.delta1(delta2), delta2)


mistake = partial(wrong_backward, TwoLayerNetwork)


@mistake("constant-factor", source="datascience.stackexchange 71843")
def network_forgets_the_two_of_the_squared_error(grad_loss, *inputs):
    return TwoLayerNetwork.gradients(grad_loss / 2, *inputs)


@mistake("constant-factor", source="discuss.pytorch.org/t/190902")
def network_forgets_the_mean_of_the_loss(grad_loss, *inputs):
    """N·O times too large."""
    return TwoLayerNetwork.gradients(grad_loss * Network(*inputs).target.numel(), *inputs)


@mistake("constant-factor", source="torch.nn.MSELoss averages over all elements")
def network_divides_by_the_batch_alone(grad_loss, *inputs):
    """By N in place of N·O."""
    return TwoLayerNetwork.gradients(grad_loss * Network(*inputs).target.shape[1], *inputs)


@mistake("sign-flipped", source="stackoverflow 34692644")
def network_flips_the_error(grad_loss, *inputs):
    """target - a2 in place of a2 - target."""
    return TwoLayerNetwork.gradients(-grad_loss, *inputs)


@mistake("missing-local-derivative", "missing-term", source="discuss.pytorch.org/t/187917")
def network_takes_the_slope_of_z(grad_loss, *inputs):
    """σ' is written z (1 - z)."""
    network = Network(*inputs)
    delta2 = network.delta2(grad_loss)
    delta1 = delta2 @ network.W2.t() * slope(network.z1)
    return network.gradients(delta1, delta2)


@mistake("missing-local-derivative", "missing-term", source="whosebug 2948401")
def network_applies_the_sigmoid_twice_in_the_slope(grad_loss, *inputs):
    """σ' is evaluated at a, which is a sigmoid already."""
    network = Network(*inputs)
    delta2 = network.delta2(grad_loss)
    delta1 = delta2 @ network.W2.t() * slope(network.a1.sigmoid())
    return network.gradients(delta1, delta2)


@mistake("missing-local-derivative", source="stackoverflow 59399842")
def network_forgets_the_slope_of_its_output(grad_loss, *inputs):
    network = Network(*inputs)
    delta2 = network.grad_a2(grad_loss)
    return network.gradients(network.delta1(delta2), delta2)


@mistake("missing-local-derivative", source="whosebug 2948401")
def network_forgets_the_slope_of_its_hidden_layer(grad_loss, *inputs):
    network = Network(*inputs)
    delta2 = network.delta2(grad_loss)
    return network.gradients(delta2 @ network.W2.t(), delta2)


@mistake(
    "missing-term",
    "missing-local-derivative",
    source="Basic neural network problem in training (XOR)",
)
def network_sends_values_back_in_place_of_deltas(grad_loss, *inputs):
    network = Network(*inputs)
    delta1 = network.delta1(grad_loss * network.a2)
    return network.gradients(delta1, network.delta2(grad_loss))


@mistake("mutates-input", "mutates-saved", source="stackoverflow 6013429")
def network_updates_its_weights_too_early(grad_loss, *inputs):
    """W2 is updated in backward, before the hidden layer needs it."""
    network = Network(*inputs)
    delta2 = network.delta2(grad_loss)
    network.W2.data.sub_(LEARNING_RATE * (network.a1.t() @ delta2).detach())
    return network.gradients(network.delta1(delta2), delta2)


@mistake("not-linear-in-grad-output", source="ai.stackexchange 26136")
def network_sends_deltas_through_an_updated_weight(grad_loss, *inputs):
    """The hidden delta uses a W2 that has already made its step."""
    network = Network(*inputs)
    delta2 = network.delta2(grad_loss)
    updated = network._replace(W2=network.W2 - LEARNING_RATE * network.a1.t() @ delta2)
    return network.gradients(updated.delta1(delta2), delta2)


@mistake("constant-factor", source="datascience.stackexchange 20139")
def network_averages_its_bias_gradients(grad_loss, *inputs):
    """Means over the rows."""
    gradients = TwoLayerNetwork.gradients(grad_loss, *inputs)
    grad_x, grad_W1, grad_b1, grad_W2, grad_b2, _ = gradients
    rows = len(grad_x)
    return grad_x, grad_W1, grad_b1 / rows, grad_W2, grad_b2 / rows, None


@mistake("transposed", source="learnixo.io dl-chain-rule-calculus")
@at(network_of(5, 4, 4, 2))
def network_transposes_a_square_weight_gradient(grad_loss, *inputs):
    """delta1ᵀ x in place of xᵀ delta1: silent when there are as many inputs as hidden units."""
    grad_x, grad_W1, *others = TwoLayerNetwork.gradients(grad_loss, *inputs)
    return grad_x, grad_W1.t(), *others


@mistake("transposed", source="learnixo.io dl-chain-rule-calculus")
def network_reshapes_where_it_should_transpose(grad_loss, *inputs):
    """The shape is right, the order is not."""
    grad_x, grad_W1, *others = TwoLayerNetwork.gradients(grad_loss, *inputs)
    return grad_x, grad_W1.t().reshape(grad_W1.shape), *others
