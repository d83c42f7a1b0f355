"""Patterns across gradients, which one gradient cannot show."""

import math

import pytest
import torch

from tests.checker.comparison.compared import Gradients, network
from tests.checker.given import causes, normal
from tests.corpora.wrong_ops.numpy_network import autograd, page
from torchref import compare
from torchref.checker.diagnosis.network.layers import NEARBY


def test_gradients_in_each_others_place() -> None:
    true = network()
    manual = true | {"b1": true["b2"], "b2": true["b1"]}
    comparison = compare(manual, true)
    assert causes(comparison) == ["swapped-arguments"]
    assert "b1 holds that of b2" in comparison.findings[0].evidence
    backwards = compare(list(true.values())[::-1], true)
    assert causes(backwards) == ["swapped-arguments"]


@pytest.mark.parametrize("sign", [1, -1])
def test_weight_decay_on_one_side(sign: int) -> None:
    module = torch.nn.Linear(7, 5)
    module(torch.randn(3, 7)).square().sum().backward()
    manual = [p.grad + sign * 0.02 * p.detach() for p in module.parameters()]
    comparison = compare(manual, module)
    assert causes(comparison) == ["missing-term"]
    assert "0.02 times the parameter itself" in comparison.findings[0].evidence
    assert ("manual" if sign > 0 else "reference") in comparison.findings[0].evidence


def test_only_biases() -> None:
    true = network()
    averaged = compare(true | {name: true[name] / 9 for name in ("b1", "b2", "b3")}, true)
    assert causes(averaged) == ["constant-factor"]
    assert "averaged over 9 rows" in averaged.findings[0].evidence
    garbled = compare(true | {"b1": normal(5, seed=77), "b3": normal(11, seed=78)}, true)
    assert causes(garbled) == ["missing-reduction"]


def test_a_weight_whose_bias_is_right() -> None:
    comparison = compare(network() | {"W2": normal(5, 3, seed=77)}, network())
    assert causes(comparison) == ["missing-local-derivative", "mutates-saved"]
    assert "b2 is right" in comparison.findings[0].evidence


@pytest.mark.parametrize("order", [1, -1], ids=["input first", "output first"])
def test_right_layers_behind_wrong_ones(order: int) -> None:
    true = dict(list(network().items())[::order])
    manual = true | {name: normal(*true[name].shape, seed=77) for name in ("W1", "b1")}
    comparison = compare(manual, true)
    assert set(causes(comparison)) == {"missing-term", "missing-local-derivative"}
    assert set(comparison.findings[0].argument.split(", ")) == {"W1", "b1"}
    assert "δ goes wrong between" in comparison.findings[0].evidence


def test_nan_is_traced_to_the_gradient_nearest_to_the_loss() -> None:
    manual = {name: torch.full_like(x, math.nan) for name, x in network().items()}
    manual["W3"] = network()["W3"]
    manual["b3"] = network()["b3"].index_fill(0, torch.tensor(4), math.nan)
    comparison = compare(manual, network())
    assert causes(comparison) == ["not-finite"]
    assert "in b3, the last of them, 1 of 11 entries do, first at [4]" in str(comparison)


def test_a_small_step_of_the_weights_is_recognised() -> None:
    true = network()
    moved = {k: x + NEARBY / 10 * normal(*x.shape, seed=5) for k, x in true.items() if "1" in k}
    comparison = compare(true | moved, true)
    assert causes(comparison)[0] == "missing-term"
    assert "updated before" in comparison.findings[0].evidence


def slopes(kind: str) -> tuple[Gradients, Gradients]:
    """The same page of backpropagation, with the output's slope lost or met twice."""
    true, given = page(N=9, D=3, H=5, outputs=2), autograd(page(N=9, D=3, H=5, outputs=2))
    _, _, _, a2 = true.forward()
    slope = a2 * (1 - a2)
    delta2 = true.delta2() / slope if kind == "lost" else true.delta2() * slope
    return true.parameters(true.delta1(delta2), delta2), given


@pytest.mark.parametrize(("kind", "told"), [("lost", "is missing"), ("twice", "there twice")])
def test_the_slope_of_the_output(kind: str, told: str) -> None:
    comparison = compare(*slopes(kind))
    assert causes(comparison)[0] == "missing-local-derivative"
    assert told in comparison.findings[0].evidence
