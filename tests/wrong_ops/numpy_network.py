"""A page of numpy backpropagation as a learner writes it, and the ways in which it goes wrong.

N rows, D inputs, H hidden units, O outputs; z is before an activation, a after it, delta is the
gradient of the loss in z. Two sigmoid layers, mean squared error unless a mistake says otherwise.
"""

# ruff: noqa: N803 - the sizes carry the letters above

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional as F

Gradients = dict[str, np.ndarray]
LEARNING_RATE = 0.5


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def slope(a):
    """σ' expressed in a = σ(z)."""
    return a * (1 - a)


@dataclass(frozen=True)
class Page:
    """The numbers that a learner works with."""

    x: np.ndarray
    W1: np.ndarray
    b1: np.ndarray
    W2: np.ndarray
    b2: np.ndarray
    target: np.ndarray

    def forward(self):
        z1 = self.x @ self.W1 + self.b1
        a1 = sigmoid(z1)
        z2 = a1 @ self.W2 + self.b2
        return z1, a1, z2, sigmoid(z2)

    def loss(self):
        _, _, _, a2 = self.forward()
        return ((a2 - self.target) ** 2).mean()

    def delta2(self):
        _, _, _, a2 = self.forward()
        return 2 * (a2 - self.target) / self.target.size * slope(a2)

    def delta1(self, delta2):
        _, a1, _, _ = self.forward()
        return delta2 @ self.W2.T * slope(a1)

    def parameters(self, delta1, delta2) -> Gradients:
        _, a1, _, _ = self.forward()
        return {
            "W1": self.x.T @ delta1,
            "b1": delta1.sum(0),
            "W2": a1.T @ delta2,
            "b2": delta2.sum(0),
        }

    def gradients(self) -> Gradients:
        delta2 = self.delta2()
        return self.parameters(self.delta1(delta2), delta2)


def page(N=5, D=3, H=4, outputs=2, seed=0) -> Page:
    random = np.random.default_rng(seed)
    shapes = ((N, D), (D, H), (H,), (H, outputs), (outputs,))
    return Page(*(random.normal(size=shape) for shape in shapes), random.random((N, outputs)))


def mean_squared_error(_a1, z2, target):
    return F.mse_loss(z2.sigmoid(), target)


def binary_cross_entropy(_a1, z2, target):
    return F.binary_cross_entropy_with_logits(z2, target)


def autograd(page: Page, loss: Callable = mean_squared_error) -> dict[str, torch.Tensor]:
    """The reference: torch's gradients of loss(a1, z2, target) on the same page."""
    weights = {name: torch.tensor(getattr(page, name)) for name in ("W1", "b1", "W2", "b2")}
    for weight in weights.values():
        weight.requires_grad_()
    a1 = (torch.tensor(page.x) @ weights["W1"] + weights["b1"]).sigmoid()
    z2 = a1 @ weights["W2"] + weights["b2"]
    gradients = torch.autograd.grad(loss(a1, z2, torch.tensor(page.target)), list(weights.values()))
    return dict(zip(weights, gradients, strict=True))


def scaled(gradients: Gradients, factor: float) -> Gradients:
    return {name: factor * gradient for name, gradient in gradients.items()}


def two_forgotten():
    return scaled(page().gradients(), 1 / 2), autograd(page())


def mean_forgotten():
    return scaled(page().gradients(), page().target.size), autograd(page())


def divided_by_batch():
    return scaled(page().gradients(), page().target.shape[1]), autograd(page())


def error_flipped():
    return scaled(page().gradients(), -1), autograd(page())


def slope_of_pre_activation():
    z1, _, _, _ = page().forward()
    delta2 = page().delta2()
    return page().parameters(delta2 @ page().W2.T * slope(z1), delta2), autograd(page())


def sigmoid_twice():
    _, a1, _, _ = page().forward()
    delta2 = page().delta2()
    delta1 = delta2 @ page().W2.T * slope(sigmoid(a1))
    return page().parameters(delta1, delta2), autograd(page())


def output_slope_forgotten():
    _, _, _, a2 = page().forward()
    delta2 = 2 * (a2 - page().target) / page().target.size
    return page().parameters(page().delta1(delta2), delta2), autograd(page())


def hidden_slope_forgotten():
    delta2 = page().delta2()
    return page().parameters(delta2 @ page().W2.T, delta2), autograd(page())


def value_in_place_of_delta():
    _, _, _, a2 = page().forward()
    return page().parameters(page().delta1(a2), page().delta2()), autograd(page())


def weights_updated_too_early():
    right = page().gradients()
    updated = replace(page(), W2=page().W2 - LEARNING_RATE * right["W2"])
    _, a1, _, _ = page().forward()
    delta2 = page().delta2()
    delta1 = delta2 @ updated.W2.T * slope(a1)
    return page().parameters(delta1, delta2), autograd(page())


def cross_entropy_slope_twice():
    _, _, _, a2 = page().forward()
    delta2 = (a2 - page().target) / page().target.size * slope(a2)
    return page().parameters(page().delta1(delta2), delta2), autograd(page(), binary_cross_entropy)


def bias_not_summed():
    delta2 = page().delta2()
    delta1 = page().delta1(delta2)
    return {**page().gradients(), "b1": delta1, "b2": delta2}, autograd(page())


def bias_dimension_kept():
    right = page().gradients()
    return {**right, "b1": right["b1"][None], "b2": right["b2"][None]}, autograd(page())


def bias_averaged():
    right, rows = page().gradients(), len(page().x)
    return {**right, "b1": right["b1"] / rows, "b2": right["b2"] / rows}, autograd(page())


def weight_transposed():
    right = page().gradients()
    return {**right, "W1": right["W1"].T, "W2": right["W2"].T}, autograd(page())


def square_weight_transposed():
    square = page(D=4, H=4)
    right = square.gradients()
    return {**right, "W1": right["W1"].T}, autograd(square)


def weight_reshaped():
    right = page().gradients()
    return {**right, "W1": right["W1"].T.reshape(right["W1"].shape)}, autograd(page())


def target_broadcast():
    column = page(outputs=1)
    _, _, _, a2 = column.forward()
    error = a2 - column.target.squeeze(1)
    delta2 = (2 * error / error.size).sum(1, keepdims=True) * slope(a2)
    return column.parameters(column.delta1(delta2), delta2), autograd(column)


def activity_penalty(a1, z2, target):
    return mean_squared_error(a1, z2, target) + a1.square().mean()


def fork_overwritten():
    """The hidden layer feeds the output and a penalty; the penalty's gradient comes last."""
    _, a1, _, _ = page().forward()
    grad_a1 = page().delta2() @ page().W2.T
    grad_a1 = 2 * a1 / a1.size
    manual = page().parameters(grad_a1 * slope(a1), page().delta2())
    return manual, autograd(page(), activity_penalty)


def gradients_not_zeroed():
    totals = {name: np.zeros_like(gradient) for name, gradient in page().gradients().items()}
    for _ in range(2):
        for name, gradient in page().gradients().items():
            totals[name] += gradient
    return totals, autograd(page())


def upstream_gradient_ignored():
    def weighted_loss(a1, z2, target):
        return 2.5 * mean_squared_error(a1, z2, target)

    return page().gradients(), autograd(page(), weighted_loss)


def one_gradient_too_few():
    manual = page().gradients()
    del manual["b2"]
    return manual, autograd(page())


def saved_value_edited():
    """a1 becomes its own slope in place, and is then used for grad_W2."""
    _, a1, _, _ = page().forward()
    delta2 = page().delta2()
    a1 *= 1 - a1
    delta1 = delta2 @ page().W2.T * a1
    return {**page().parameters(delta1, delta2), "W2": a1.T @ delta2}, autograd(page())


def saturated_logarithm():
    saturated = replace(page(), b2=np.array([60.0, 0.5]))
    _, _, _, a2 = saturated.forward()
    with np.errstate(divide="ignore", invalid="ignore"):
        grad_a2 = ((1 - saturated.target) / (1 - a2) - saturated.target / a2) / a2.size
        delta2 = grad_a2 * slope(a2)
    manual = saturated.parameters(saturated.delta1(delta2), delta2)
    return manual, autograd(saturated, binary_cross_entropy)


def in_single_precision(page: Page) -> Page:
    return Page(*(getattr(page, name).astype(np.float32) for name in page.__dataclass_fields__))


def single_precision():
    return in_single_precision(page()).gradients(), autograd(page())


def difference_of_the_output():
    """Centred differences of the network's output where those of the loss were meant."""

    def output_sum(name, position, step):
        moved = getattr(page(), name).copy()
        moved[position] += step
        _, _, _, a2 = replace(page(), **{name: moved}).forward()
        return a2.sum()

    step, manual = 1e-5, {}
    for name in ("W1", "b1", "W2", "b2"):
        manual[name] = np.zeros_like(getattr(page(), name))
        for position in np.ndindex(manual[name].shape):
            rise = output_sum(name, position, step) - output_sum(name, position, -step)
            manual[name][position] = rise / (2 * step)
    return manual, autograd(page())


def exact_equality_demanded():
    """Both sides in single precision: the same formula, rounded in another order."""
    single = in_single_precision(page())
    return single.gradients(), autograd(single)


def no_mistake():
    reference = autograd(page())
    return {name: gradient.numpy().copy() for name, gradient in reference.items()}, reference


@dataclass(frozen=True)
class Mistake:
    """What a learner hands to a comparison, and what the comparison must answer.

    The verdict is that of the worst name; causes count as naming a difference, the best first.
    """

    number: int
    name: str
    gradients: Callable[[], tuple[Gradients, dict[str, torch.Tensor]]]
    causes: tuple[str, ...] = ()
    verdict: str = "different"


CONTROL = Mistake(0, "no mistake", no_mistake, verdict="exact")

SLOPE = ("missing-local-derivative", "missing-term")

MISTAKES: tuple[Mistake, ...] = (
    Mistake(1, "factor 2 of the squared error forgotten", two_forgotten, ("constant-factor",)),
    Mistake(2, "mean forgotten", mean_forgotten, ("constant-factor",)),
    Mistake(3, "divided by the batch alone", divided_by_batch, ("constant-factor",)),
    Mistake(4, "error with the wrong sign", error_flipped, ("sign-flipped",)),
    Mistake(5, "slope of the sigmoid taken at z", slope_of_pre_activation, SLOPE),
    Mistake(6, "sigmoid applied twice in the slope", sigmoid_twice, SLOPE),
    Mistake(7, "output slope forgotten", output_slope_forgotten, SLOPE),
    Mistake(8, "hidden slope forgotten", hidden_slope_forgotten, SLOPE),
    Mistake(9, "next value in place of its delta", value_in_place_of_delta, SLOPE[::-1]),
    Mistake(10, "weights updated too early", weights_updated_too_early, ("missing-term",)),
    Mistake(11, "cross entropy with the slope again", cross_entropy_slope_twice, SLOPE),
    Mistake(12, "bias not summed", bias_not_summed, ("missing-reduction", "wrong-shape")),
    Mistake(12, "bias with a dimension kept", bias_dimension_kept, ("wrong-shape",)),
    Mistake(12, "bias averaged", bias_averaged, ("constant-factor",)),
    Mistake(13, "weight transposed", weight_transposed, ("transposed", "wrong-shape")),
    Mistake(13, "square weight transposed", square_weight_transposed, ("transposed",)),
    Mistake(13, "weight reshaped", weight_reshaped, ("transposed",)),
    Mistake(14, "target broadcast", target_broadcast, ("missing-term", "forward-wrong")),
    Mistake(15, "fork overwritten", fork_overwritten, ("missing-term",)),
    Mistake(16, "gradients not zeroed", gradients_not_zeroed, ("constant-factor", "accumulates")),
    Mistake(
        17,
        "upstream gradient ignored",
        upstream_gradient_ignored,
        ("constant-factor", "ignores-grad-output"),
    ),
    Mistake(18, "one gradient too few", one_gradient_too_few, ("missing-gradient",)),
    Mistake(19, "saved value edited in place", saved_value_edited, (*SLOPE, "mutates-saved")),
    Mistake(20, "logarithm of a saturated sigmoid", saturated_logarithm, ("not-finite",)),
    Mistake(21, "checked in single precision", single_precision, verdict="close"),
    Mistake(22, "difference of the wrong function", difference_of_the_output, SLOPE),
    Mistake(23, "exact equality demanded", exact_equality_demanded, verdict="close"),
)
