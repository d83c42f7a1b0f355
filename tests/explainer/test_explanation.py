"""Factors multiply to gradients, paths sum to deltas, and what is stored is what was met before."""

import math
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backprop.random_stacks import by_autograd
from tests.explainer.chain.chains import chain_of
from tests.explainer.chain.plain_count import multiplications_without_reuse, walks
from tests.explainer.chain.random_networks import Problem, explained, problems
from torchref import explain, nn
from torchref.explainer import Notation
from torchref.explainer.chain.counting import count
from torchref.explainer.chain.factors import Factor
from torchref.explainer.chain.notation import LOWERED


@settings(max_examples=150, deadline=None, derandomize=True)
@given(problems(), st.data())
def test_factors_multiply_to_the_gradient(problem: Problem, data: st.DataObject) -> None:
    example = data.draw(st.integers(0, len(problem.x) - 1))
    found = explained(problem, example=example)
    _, gradients = by_autograd(problem.network, problem.loss, problem.x, problem.target)
    gradient = gradients[problem.parameter][problem.entry].item()
    allowed = 1e-12 * found.evidence.magnitude
    product = math.prod(factor.value for factor in found.factors)
    assert product == pytest.approx(found.contributions[example], rel=1e-12, abs=allowed)
    assert sum(found.contributions) == pytest.approx(gradient, rel=0, abs=allowed)
    assert found.evidence.autograd == pytest.approx(gradient, rel=0, abs=allowed)
    assert found.verdict in ("right", "cannot tell")
    if not any(isinstance(layer, nn.ReLU) for layer in problem.network):
        assert found.verdict == "right", found.evidence.reason + repr(found.evidence)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(problems())
def test_path_sums_equal_delta_sums(problem: Problem) -> None:
    found = explained(problem, most_paths=100_000)
    assert found.path_sum is not None
    assert len(found.paths) == found.path_count
    total = sum(path.product for path in found.paths)
    size = sum(abs(path.product) for path in found.paths)
    assert found.path_sum == pytest.approx(total, rel=1e-12, abs=1e-12 * size)
    delta = found.deltas[-1].values[found.place.j]
    own = found.factors[-1].value
    assert total == pytest.approx(delta * own, rel=0, abs=1e-12 * size)
    assert total == pytest.approx(found.contributions[0], rel=0, abs=1e-12 * size)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(problems(most_width=3))  # for every entry: with 5 it takes longer than all others here
def test_stored_is_what_an_earlier_parameter_met(problem: Problem) -> None:
    met: set[object] = set()
    for walk in walks(problem.network):
        found = explain(
            problem.network,
            problem.loss,
            problem.x[:1],
            problem.target[:1],
            walk.parameter,
            walk.entry,
            most_paths=100_000,
        )
        assert found.path_count == len(walk.paths)
        plain = sorted([edge in met for edge in edges] for edges in walk.paths)
        stored = sorted([factor.is_stored for factor in path.factors] for path in found.paths)
        assert stored == plain
        met.update(edge for edges in walk.paths for edge in edges)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(problems())
def test_multiplications_are_those_of_a_plain_count(problem: Problem) -> None:
    found = explained(problem)
    assert found.counts.recomputed == multiplications_without_reuse(problem.network)
    # One multiplication for every edge above a level, every activation and every weight.
    edges = {edge for walk in walks(problem.network) for path in walk.paths for edge in path[1:-1]}
    weights = sum(
        layer.in_features * layer.out_features
        for layer in problem.network
        if list(layer.parameters())
    )
    assert found.counts.reused == len(edges) + weights
    assert found.counts.saved == found.counts.recomputed - found.counts.reused


def evaluated(factor: Factor) -> float:
    """The formula of a factor with its symbols' values in it, as Python reads it."""
    formula = factor.formula
    for symbol in sorted(factor.symbols, key=len, reverse=True):
        formula = formula.replace(symbol, f"#{factor.symbols[symbol]!r}#")
    formula = formula.replace("−", "-").replace("·", "*")
    formula = re.sub(r"#([^#]*)#", r"(\1)", formula)
    formula = re.sub(r"(?<=[\d)])\(", "*(", formula)
    formula = formula.replace("[", "float(").replace("]", ")")
    return eval(formula, {"σ": lambda z: 1 / (1 + math.exp(-z))})


@settings(max_examples=150, deadline=None, derandomize=True)
@given(problems())
def test_every_formula_gives_its_value(problem: Problem) -> None:
    factors = explained(problem, most_paths=1).paths[0].factors
    for factor in factors:
        if "σ" in factor.formula and factor.layer == "loss":
            continue  # see test_the_formula_on_logits
        assert evaluated(factor) == pytest.approx(factor.value, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("weights", [False, True])
def test_the_formula_on_logits(weights: bool) -> None:
    weight = torch.tensor([0.5, 2.0], dtype=torch.float64)
    loss = nn.BCEWithLogitsLoss(weight, pos_weight=3 * weight) if weights else None
    network = nn.SigmoidNetwork((3, 2))[:-1].double()
    x, target = torch.rand(2, 3), torch.rand(2, 2)
    found = explain(network, loss or nn.BCEWithLogitsLoss(), x, target, "linear1.bias", (1,))
    value, symbols = found.factors[0].value, found.factors[0].symbols
    z, t = symbols["z⁽¹⁾₂"], symbols["y₂"]
    probability = 1 / (1 + math.exp(-z))
    p, v = symbols.get("p₂", 1.0), symbols.get("v₂", 1.0)
    assert value == pytest.approx(v * (p * t * (probability - 1) + (1 - t) * probability) / 4)
    written = "v₂ · 1/4 · (p₂·y₂·(σ(z⁽¹⁾₂) − 1) + (1 − y₂)·σ(z⁽¹⁾₂))"
    assert found.factors[0].formula == (written if weights else "1/4 · (σ(z⁽¹⁾₂) − y₂)")


def test_the_formula_of_the_cross_entropy() -> None:
    """∂L/∂zₖ = ŷₖ − yₖ, the softmax standing among the quantities of the forward pass."""
    network = nn.SigmoidNetwork((3, 4))[:-1].double()
    x, target = torch.rand(2, 3), torch.eye(4)[:2]
    found = explain(network, nn.CrossEntropyLoss(), x, target, "linear1.bias", (1,), example=1)
    loss = found.factors[0]
    assert (loss.symbol, loss.formula) == ("∂L/∂z⁽¹⁾₂", "1/2 · (ŷ₂ − y₂)")
    likely = network(x.double()).softmax(dim=1)[1]
    assert loss.value == pytest.approx((likely[1].item() - 1) / 2, rel=1e-12)
    shown = {each.symbol: each.value for each in found.forward}
    formulas = {each.symbol: each.formula for each in found.forward}
    assert formulas["ŷ₂"] == "softmax₂(z⁽¹⁾₁, z⁽¹⁾₂, z⁽¹⁾₃, z⁽¹⁾₄)"
    assert [shown[f"ŷ{k}"] for k in "₁₂₃₄"] == pytest.approx(likely.tolist(), rel=1e-12)
    assert found.verdict == "right"


def test_the_cancellation_is_a_step_with_its_values() -> None:
    step = chain_of((2, 2, 1)).cancellation
    assert step is not None
    assert step.before == "∂L/∂ŷ · ∂ŷ/∂z⁽²⁾ = −(y − ŷ)/(ŷ(1 − ŷ)) · ŷ(1 − ŷ)"
    assert step.after == "−(y − ŷ)"
    assert step.value_before == pytest.approx(step.value_after, rel=1e-12)


@pytest.mark.parametrize("weights", [False, True])
def test_what_the_cancellation_leaves_is_the_product(weights: bool) -> None:
    weight = torch.tensor([0.5, 2.0], dtype=torch.float64) if weights else None
    network, x, target = nn.SigmoidNetwork((3, 2)), torch.rand(2, 3), torch.rand(2, 2)
    found = explain(network, nn.BCELoss(weight), x, target, "linear1.bias", (1,))
    step, loss = found.cancellation, found.factors[0]
    assert step is not None
    assert step.after == ("v₂ · " if weights else "") + "1/4 · −(y₂ − ŷ₂)"
    assert step.value_before == pytest.approx(step.value_after, rel=1e-9)
    share = loss.symbols.get("v₂", 1.0) / 4
    assert step.value_after == pytest.approx(share * (loss.symbols["ŷ₂"] - loss.symbols["y₂"]))


def test_the_update_and_the_network_are_left_as_they_were() -> None:
    network = nn.SigmoidNetwork((2, 3, 1))
    network.linear1.weight.requires_grad_(False)
    before = {name: p.clone() for name, p in network.named_parameters()}
    x, target = torch.rand(2), torch.rand(1)
    found = explain(network, nn.BCELoss(), x, target, "linear1.weight", (2, 1), rate=0.5)
    assert found.before == before["linear1.weight"][2, 1].item()
    assert found.after == found.before - 0.5 * found.evidence.product
    for name, parameter in network.named_parameters():
        assert torch.equal(parameter, before[name])
        assert parameter.grad is None
    assert not network.linear1.weight.requires_grad


def test_a_frozen_network_is_explained_like_any_other() -> None:
    torch.manual_seed(0)
    network, x, target = nn.SigmoidNetwork((2, 3, 1)), torch.rand(2), torch.rand(1)
    learning = explain(network, nn.BCELoss(), x, target)
    frozen = explain(network.requires_grad_(False), nn.BCELoss(), x, target)
    assert frozen.evidence == learning.evidence
    assert frozen.factors == learning.factors


def test_at_a_kink_nobody_can_tell() -> None:
    network = nn.Sequential(nn.Linear(1, 1), nn.ReLU()).double()
    nn.init.zeros_(network[0].weight)
    nn.init.zeros_(network[0].bias)
    x = target = torch.ones(1)
    assert explain(network, nn.MSELoss(), x, target).verdict != "right"


def test_a_wrong_activation_is_called_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    from torchref.ops import Sigmoid

    def without_the_second_factor(ctx, grad_y):
        (y,) = ctx.saved_tensors
        return grad_y * y

    monkeypatch.setattr(Sigmoid, "backward", staticmethod(without_the_second_factor))
    assert chain_of((2, 2, 1)).verdict == "wrong"


@pytest.mark.parametrize(("inputs", "products"), [(4, 4), (5, 3)])
def test_a_long_sum_is_abridged_and_keeps_its_bias(inputs: int, products: int) -> None:
    (formula,) = {q.formula for q in chain_of((inputs, 1)).forward if q.symbol == "z⁽¹⁾"}
    assert formula.count("·") == products
    assert formula.startswith("w⁽¹⁾₁₁·x₁ + w⁽¹⁾₂₁·x₂ + ")
    assert formula.endswith(f" + w⁽¹⁾{inputs}₁·x{inputs} + b⁽¹⁾".translate(LOWERED))
    assert ("+ … +" in formula) == (products < inputs)


def test_a_finite_difference_knows_many_digits() -> None:
    slope = chain_of((2, 2, 1)).evidence.difference
    assert slope.tolerance < 1e-6 * abs(slope.value)


def test_growth_takes_the_widest_hidden_level_for_all() -> None:
    assert chain_of((3, 5, 4, 2)).growth[3] == count((3, 5, 5, 2), (1, 1, 1))
    assert chain_of((3, 2)).growth[2] == count((3, 3, 2), (1, 1))


def test_growth_with_depth_is_what_the_lecture_says_of_reuse() -> None:
    growth = chain_of((3, 3, 3)).growth
    with_reuse = [growth[depth].reused for depth in range(1, 7)]
    steps = {b - a for a, b in pairwise(with_reuse)}
    assert steps == {21}  # the same for every further level
    without = [growth[depth].recomputed for depth in range(1, 7)]
    assert all(b > 3 * a for a, b in pairwise(without))  # three paths each


def test_an_entry_of_a_bias_may_be_a_plain_number() -> None:
    found = chain_of((2, 2, 1), parameter="linear1.bias", entry=1)
    assert (found.place.entry, found.gradient) == ((1,), "∂L/∂b⁽¹⁾₂")


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_it_explains_where_autograd_is_off(mode: Callable[[], AbstractContextManager]) -> None:
    with mode():
        x, target = torch.rand(2).double(), torch.rand(1).double()
        found = explain(nn.SigmoidNetwork((2, 2, 1)), nn.BCELoss(), x, target)
        assert found.verdict == "right", found.evidence.reason + repr(found.evidence)
        assert torch.is_inference_mode_enabled() == (mode is torch.inference_mode)


def test_an_empty_notation_takes_the_lectures_letters() -> None:
    found = chain_of((2, 2, 1), notation=Notation(loss="E", weight="W", net="h", levels="weights"))
    assert [factor.symbol for factor in found.factors] == [
        "∂E/∂ŷ",
        "∂ŷ/∂h",
        "∂h/∂a₁",
        "∂a₁/∂h₁",
        "∂h₁/∂W⁽¹⁾₁₁",
    ]
