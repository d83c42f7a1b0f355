"""The ways in which a page of numpy backpropagation goes wrong, by number as learners meet them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from .numpy_network import (
    Gradients,
    autograd,
    binary_cross_entropy,
    in_single_precision,
    mean_squared_error,
    page,
    scaled,
    sigmoid,
    slope,
)
from .planted import in_words

LEARNING_RATE = 0.5
SLOPE = ("missing-local-derivative", "missing-term")


@dataclass(frozen=True)
class Mistake:
    """What a learner hands to a comparison, and what the comparison must answer.

    The verdict is that of the worst name; causes count as naming a difference, the best first.
    """

    number: int
    name: str
    gradients: Callable[[], tuple[Gradients, dict[str, torch.Tensor]]]
    causes: tuple[str, ...]
    verdict: str


def mistake(number: int, *causes: str, verdict: str = "different") -> Callable:
    """The decorated function returns the gradients by hand and those of the reference."""

    def made(gradients):
        return Mistake(number, in_words(gradients.__name__), gradients, causes, verdict)

    return made


@mistake(0, verdict="exact")
def no_mistake():
    reference = autograd(page())
    return {name: gradient.numpy().copy() for name, gradient in reference.items()}, reference


@mistake(1, "constant-factor")
def factor_two_of_the_squared_error_forgotten():
    return scaled(page().gradients(), 1 / 2), autograd(page())


@mistake(2, "constant-factor")
def mean_forgotten():
    return scaled(page().gradients(), page().target.size), autograd(page())


@mistake(3, "constant-factor")
def divided_by_the_batch_alone():
    return scaled(page().gradients(), page().target.shape[1]), autograd(page())


@mistake(4, "sign-flipped")
def error_with_the_wrong_sign():
    return scaled(page().gradients(), -1), autograd(page())


@mistake(5, *SLOPE)
def slope_of_the_sigmoid_taken_at_z():
    z1, _, _, _ = page().forward()
    delta2 = page().delta2()
    return page().parameters(delta2 @ page().W2.T * slope(z1), delta2), autograd(page())


@mistake(6, *SLOPE)
def sigmoid_applied_twice_in_the_slope():
    _, a1, _, _ = page().forward()
    delta2 = page().delta2()
    delta1 = delta2 @ page().W2.T * slope(sigmoid(a1))
    return page().parameters(delta1, delta2), autograd(page())


@mistake(7, *SLOPE)
def output_slope_forgotten():
    _, _, _, a2 = page().forward()
    delta2 = 2 * (a2 - page().target) / page().target.size
    return page().parameters(page().delta1(delta2), delta2), autograd(page())


@mistake(8, *SLOPE)
def hidden_slope_forgotten():
    delta2 = page().delta2()
    return page().parameters(delta2 @ page().W2.T, delta2), autograd(page())


@mistake(9, "missing-term", "missing-local-derivative")
def next_value_in_place_of_its_delta():
    _, _, _, a2 = page().forward()
    return page().parameters(page().delta1(a2), page().delta2()), autograd(page())


@mistake(10, "missing-term")
def weights_updated_too_early():
    right = page().gradients()
    updated = replace(page(), W2=page().W2 - LEARNING_RATE * right["W2"])
    _, a1, _, _ = page().forward()
    delta2 = page().delta2()
    delta1 = delta2 @ updated.W2.T * slope(a1)
    return page().parameters(delta1, delta2), autograd(page())


@mistake(11, *SLOPE)
def cross_entropy_with_the_slope_again():
    _, _, _, a2 = page().forward()
    delta2 = (a2 - page().target) / page().target.size * slope(a2)
    return page().parameters(page().delta1(delta2), delta2), autograd(page(), binary_cross_entropy)


@mistake(12, "missing-reduction", "wrong-shape")
def bias_not_summed():
    delta2 = page().delta2()
    delta1 = page().delta1(delta2)
    return {**page().gradients(), "b1": delta1, "b2": delta2}, autograd(page())


@mistake(12, "wrong-shape")
def bias_with_a_dimension_kept():
    right = page().gradients()
    return {**right, "b1": right["b1"][None], "b2": right["b2"][None]}, autograd(page())


@mistake(12, "constant-factor")
def bias_averaged():
    right, rows = page().gradients(), len(page().x)
    return {**right, "b1": right["b1"] / rows, "b2": right["b2"] / rows}, autograd(page())


@mistake(13, "transposed", "wrong-shape")
def weight_transposed():
    right = page().gradients()
    return {**right, "W1": right["W1"].T, "W2": right["W2"].T}, autograd(page())


@mistake(13, "transposed")
def square_weight_transposed():
    square = page(D=4, H=4)
    right = square.gradients()
    return {**right, "W1": right["W1"].T}, autograd(square)


@mistake(13, "transposed")
def weight_reshaped():
    right = page().gradients()
    return {**right, "W1": right["W1"].T.reshape(right["W1"].shape)}, autograd(page())


@mistake(14, "missing-term", "forward-wrong")
def target_broadcast():
    column = page(outputs=1)
    _, _, _, a2 = column.forward()
    error = a2 - column.target.squeeze(1)
    delta2 = (2 * error / error.size).sum(1, keepdims=True) * slope(a2)
    return column.parameters(column.delta1(delta2), delta2), autograd(column)


def activity_penalty(a1, z2, target):
    return mean_squared_error(a1, z2, target) + a1.square().mean()


@mistake(15, "missing-term")
def fork_overwritten():
    """The hidden layer feeds the output and a penalty; the penalty's gradient comes last."""
    _, a1, _, _ = page().forward()
    grad_a1 = page().delta2() @ page().W2.T
    grad_a1 = 2 * a1 / a1.size
    manual = page().parameters(grad_a1 * slope(a1), page().delta2())
    return manual, autograd(page(), activity_penalty)


@mistake(16, "constant-factor", "accumulates")
def gradients_not_zeroed():
    totals = {name: np.zeros_like(gradient) for name, gradient in page().gradients().items()}
    for _ in range(2):
        for name, gradient in page().gradients().items():
            totals[name] += gradient
    return totals, autograd(page())


@mistake(17, "constant-factor", "ignores-grad-output")
def upstream_gradient_ignored():
    def weighted_loss(a1, z2, target):
        return 2.5 * mean_squared_error(a1, z2, target)

    return page().gradients(), autograd(page(), weighted_loss)


@mistake(18, "missing-gradient")
def one_gradient_too_few():
    manual = page().gradients()
    del manual["b2"]
    return manual, autograd(page())


@mistake(19, *SLOPE, "mutates-saved")
def saved_value_edited_in_place():
    """a1 becomes its own slope in place, and is then used for grad_W2."""
    _, a1, _, _ = page().forward()
    delta2 = page().delta2()
    a1 *= 1 - a1
    delta1 = delta2 @ page().W2.T * a1
    return {**page().parameters(delta1, delta2), "W2": a1.T @ delta2}, autograd(page())


@mistake(20, "not-finite")
def logarithm_of_a_saturated_sigmoid():
    saturated = replace(page(), b2=np.array([60.0, 0.5]))
    _, _, _, a2 = saturated.forward()
    with np.errstate(divide="ignore", invalid="ignore"):
        grad_a2 = ((1 - saturated.target) / (1 - a2) - saturated.target / a2) / a2.size
        delta2 = grad_a2 * slope(a2)
    manual = saturated.parameters(saturated.delta1(delta2), delta2)
    return manual, autograd(saturated, binary_cross_entropy)


@mistake(21, verdict="close")
def checked_in_single_precision():
    return in_single_precision(page()).gradients(), autograd(page())


@mistake(22, *SLOPE)
def difference_of_the_wrong_function():
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


@mistake(23, verdict="close")
def exact_equality_demanded():
    """Both sides in single precision: the same formula, rounded in another order."""
    single = in_single_precision(page())
    return single.gradients(), autograd(single)


CONTROL = no_mistake
MISTAKES: tuple[Mistake, ...] = tuple(
    value for value in vars().values() if isinstance(value, Mistake) and value is not CONTROL
)
