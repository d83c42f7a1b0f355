"""Every formula and every number that the lectures give, against the code that computes it."""

import math

import pytest
import torch
from torch import Tensor

from tests.backprop.random_stacks import by_autograd
from torchref import nn
from torchref.backprop import sweep
from torchref.explainer.chain.counting import count
from torchref.explainer.lectures import CHAIN_RATE, LECTURES, chain_of_two, lecture

SEEDS = (0, 1, 2)


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def pieces(name: str, seed: int) -> tuple[nn.Sequential, nn.Module, Tensor, Tensor]:
    lecture = LECTURES[name]
    torch.manual_seed(seed)
    x, target = (
        torch.tensor([values], dtype=torch.float64) for values in (lecture.x, lecture.target)
    )
    return lecture.network(), lecture.loss, x, target


def entries(network: nn.Module) -> list[tuple[str, tuple[int, ...]]]:
    return [
        (name, tuple(index))
        for name, parameter in network.named_parameters()
        for index in torch.ones_like(parameter).nonzero().tolist()
    ]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", LECTURES)
def test_the_factors_of_every_parameter_multiply_to_autograds_gradient(
    name: str, seed: int
) -> None:
    pieced = pieces(name, seed)
    _, gradients = by_autograd(*pieced)
    for parameter, entry in entries(pieced[0]):
        found = LECTURES[name].explain(parameter, entry, seed=seed)
        product = math.prod(factor.value for factor in found.factors)
        assert product == pytest.approx(gradients[parameter][entry].item(), rel=1e-12)
        assert found.verdict == "right"


@pytest.mark.parametrize("seed", SEEDS)
def test_000_all_nine_derivatives_before_and_after_the_cancellation(seed: int) -> None:
    network, loss, x, target = pieces("log-loss-network", seed)
    gradients = sweep(network, loss, x, target).gradients
    (x1, x2), y = x[0].tolist(), target.item()
    (w11, w21), (w12, w22) = network.linear1.weight.tolist()
    b1, b2 = network.linear1.bias.tolist()
    ((w1, w2),), (b,) = network.linear2.weight.tolist(), network.linear2.bias.tolist()
    a1, a2 = sigmoid(x1 * w11 + x2 * w21 + b1), sigmoid(x1 * w12 + x2 * w22 + b2)
    y_hat = sigmoid(a1 * w1 + a2 * w2 + b)
    # −(y − ŷ)/(ŷ(1 − ŷ)) · ŷ(1 − ŷ), and what is left of it
    before = -(y - y_hat) / (y_hat * (1 - y_hat)) * (y_hat * (1 - y_hat))
    after = -(y - y_hat)
    for delta in (before, after):
        expected = {
            "linear1.weight": [
                [delta * w1 * a1 * (1 - a1) * x1, delta * w1 * a1 * (1 - a1) * x2],
                [delta * w2 * a2 * (1 - a2) * x1, delta * w2 * a2 * (1 - a2) * x2],
            ],
            "linear1.bias": [delta * w1 * a1 * (1 - a1), delta * w2 * a2 * (1 - a2)],
            "linear2.weight": [[delta * a1, delta * a2]],
            "linear2.bias": [delta],
        }
        for name, values in expected.items():
            torch.testing.assert_close(
                gradients[name], torch.tensor(values, dtype=torch.float64), rtol=1e-12, atol=0
            )
    value = -y * math.log(y_hat) - (1 - y) * math.log(1 - y_hat)
    assert sweep(network, loss, x, target).loss.item() == pytest.approx(value, rel=1e-14)
    assert sum(p.numel() for p in network.parameters()) == 9


def test_000_the_five_factors_stand_in_the_lectures_symbols() -> None:
    found = LECTURES["log-loss-network"].explain()
    assert [(factor.symbol, factor.formula) for factor in found.factors] == [
        ("∂L/∂ŷ", "−(y − ŷ)/(ŷ(1 − ŷ))"),
        ("∂ŷ/∂z", "ŷ(1 − ŷ)"),
        ("∂z/∂a₁", "w₁"),
        ("∂a₁/∂z₁", "a₁(1 − a₁)"),
        ("∂z₁/∂w₁₁", "x₁"),
    ]
    bias = LECTURES["log-loss-network"].explain("linear1.bias", (0,))
    assert (bias.factors[-1].symbol, bias.factors[-1].formula) == ("∂z₁/∂b₁", "1")
    last = LECTURES["log-loss-network"].explain("linear2.weight", (0, 0))
    assert [factor.formula for factor in last.factors[1:]] == ["ŷ(1 − ŷ)", "a₁"]


def test_001_only_the_new_factors_of_each_layer_are_computed() -> None:
    explain = LECTURES["three-layers"].explain
    third = explain("linear3.weight", (0, 0)).factors
    assert [factor.is_stored for factor in third] == [False] * 3
    assert [factor.symbol for factor in third] == ["∂L/∂ŷ", "∂ŷ/∂z⁽³⁾", "∂z⁽³⁾/∂w⁽³⁾₁₁"]
    second = explain("linear2.weight", (0, 0)).factors
    assert [factor.is_stored for factor in second] == [True] * 2 + [False] * 3
    assert {factor.stored_by for factor in second[:2]} == {"∂L/∂w⁽³⁾₁₁"}
    bias = explain("linear2.bias", (0,)).factors
    assert [factor.is_stored for factor in bias] == [True] * 4 + [False]
    first = explain("linear1.weight", (0, 0)).paths[0].factors
    assert [factor.is_stored for factor in first] == [True] * 4 + [False] * 3
    # "Each derivative is either of a sigmoid or of a linear function."
    layers = [factor.layer.rstrip("123") for factor in first]
    assert layers == ["loss", "sigmoid", "linear", "sigmoid", "linear", "sigmoid", "linear"]


def test_001_the_notation_goes_on_to_any_depth() -> None:
    torch.manual_seed(0)
    lecture = LECTURES["three-layers"]
    from torchref import explain

    network = nn.SigmoidNetwork((2,) * 12 + (1,)).double()
    found = explain(network, lecture.loss, torch.rand(2), torch.ones(1), "linear11.weight", (1, 0))
    assert found.factors[-1].symbol == "∂z⁽¹¹⁾₂/∂w⁽¹¹⁾₁₂"


def test_002_the_network_and_its_cost() -> None:
    network, loss, x, target = pieces("cost-surface", 0)
    assert sum(p.numel() for name, p in network.named_parameters() if "weight" in name) == 18
    assert sum(p.numel() for name, p in network.named_parameters() if "bias" in name) == 5
    output = network(x)
    assert loss(output, target).item() == pytest.approx(
        sum((a - y) ** 2 for a, y in zip(output[0].tolist(), target[0].tolist(), strict=True))
    )
    found = LECTURES["cost-surface"].explain()
    assert found.paths[0].factors[0].formula == "2(a⁽²⁾₁ − y₁)"


LECTURE_003 = [
    # parameter, the lecture's derivative and its digits, the lecture's next value and its digits
    ("linear2.weight", "∂E/∂w₂", 0.057070, 5e-7, 0.427172, 5e-7),
    ("linear2.bias", "∂E/∂b₂", 0.094756, 5e-7, 0.612097, 1e-6),
    ("linear1.weight", "∂E/∂w₁", 0.0010214, 5e-8, 0.149591, 1e-6),
    ("linear1.bias", "∂E/∂b₁", 0.010214, 5e-7, 0.395914, 1e-6),
]
LECTURES_OWN = {
    "∂E/∂w₂": (0.05706, 0.427),
    "∂E/∂b₂": (0.0948, 0.612),
    "∂E/∂w₁": (0.001021, 0.1496),
    "∂E/∂b₁": (0.01021, 0.3959),
}


def test_003_the_forward_numbers() -> None:
    found = LECTURES["two-neuron-chain"].explain()
    values = {quantity.symbol: quantity.value for quantity in found.forward}
    assert values["z₁"] == pytest.approx(0.415, abs=1e-12)
    assert values["a₁"] == pytest.approx(0.6022861, abs=1e-7)
    assert values["z₂"] == pytest.approx(0.9210287, abs=1e-7)
    assert values["a₂"] == pytest.approx(0.7152516, abs=1e-7)
    assert [f"{values[name]:.4f}" for name in ("a₁", "z₂", "a₂")] == ["0.6023", "0.9210", "0.7153"]
    assert values["E"] == pytest.approx((0.25 - values["a₂"]) ** 2 / 2)


@pytest.mark.parametrize(
    ("parameter", "symbol", "slope", "near", "after", "near_after"), LECTURE_003
)
def test_003_the_derivatives_and_the_updates(
    parameter: str, symbol: str, slope: float, near: float, after: float, near_after: float
) -> None:
    found = LECTURES["two-neuron-chain"].explain(parameter)
    assert found.gradient == symbol
    assert found.rate == CHAIN_RATE == 0.4
    # The page gives the leading digits, not rounded: the next one may add to the last.
    assert slope - near <= found.evidence.product < slope + 2 * near + 1e-6
    assert after - near_after <= found.after < after + 2 * near_after
    lectures_slope, lectures_after = LECTURES_OWN[symbol]
    assert found.evidence.product == pytest.approx(lectures_slope, rel=6e-4)
    assert found.after == pytest.approx(lectures_after, rel=5e-4)


def test_003_the_errors_of_one_and_of_many_examples() -> None:
    network = chain_of_two()
    x, target = torch.rand(7, 1).double(), torch.rand(7, 1).double()
    a_2 = network(x)
    one = sweep(network, nn.SquaredError("half_sum"), x[:1], target[:1])
    assert one.loss.item() == pytest.approx((target[0] - a_2[0]).item() ** 2 / 2)
    torch.testing.assert_close(one.repository.deltas["sigmoid2"], -(target - a_2)[:1].detach())
    many = sweep(network, nn.SquaredError("half_mean"), x, target)
    assert many.loss.item() == pytest.approx(((target - a_2) ** 2).sum().item() / (2 * 7))


@pytest.mark.parametrize("seed", SEEDS)
def test_004_the_matrix_form_is_the_unfolded_network(seed: int) -> None:
    network, loss, x, target = pieces("matrix-form", seed)
    first, second = network.linear1.weight, network.linear2.weight
    one = torch.ones(1).double()
    h = first @ torch.cat([x[0], one])
    y_hat = torch.sigmoid(second @ torch.cat([torch.sigmoid(h), one]))
    torch.testing.assert_close(network(x)[0], y_hat, rtol=1e-14, atol=0)
    unfolded = nn.SigmoidNetwork((2, 2, 1)).double()
    with torch.no_grad():
        for name, matrix in (("linear1", first), ("linear2", second)):
            unfolded.get_parameter(f"{name}.weight").copy_(matrix[:, :-1])
            unfolded.get_parameter(f"{name}.bias").copy_(matrix[:, -1])
    folded = sweep(network, loss, x, target).gradients
    plain = sweep(unfolded, loss, x, target).gradients
    for name in ("linear1", "linear2"):
        columns = torch.column_stack([plain[f"{name}.weight"], plain[f"{name}.bias"]])
        torch.testing.assert_close(folded[f"{name}.weight"], columns, rtol=1e-12, atol=0)


@pytest.mark.parametrize("seed", SEEDS)
def test_004_one_entry_is_a_product_of_four_and_the_first_two_collapse(seed: int) -> None:
    found = LECTURES["matrix-form"].explain(seed=seed)
    by_symbol = {factor.symbol: factor.value for factor in found.factors}
    values = {quantity.symbol: quantity.value for quantity in found.forward}
    y_hat, y = values["ŷ"], values["y"]
    assert by_symbol["∂E/∂ŷ"] * by_symbol["∂ŷ/∂h"] == pytest.approx(y_hat - y, rel=1e-12)
    torch.manual_seed(seed)
    weight = LECTURES["matrix-form"].network().linear2.weight[0, 0].item()
    spread = values["σ(h₁)"] * (1 - values["σ(h₁)"])
    assert list(by_symbol) == ["∂E/∂ŷ", "∂ŷ/∂h", "∂h/∂h₁", "∂h₁/∂W⁽¹⁾₁₁"]
    h_by_h1 = by_symbol["∂h/∂h₁"]
    assert h_by_h1 == pytest.approx(weight * spread, rel=1e-12)
    assert by_symbol["∂h₁/∂W⁽¹⁾₁₁"] == values["x₁"]
    product = (y_hat - y) * h_by_h1 * values["x₁"]
    assert found.evidence.product == pytest.approx(product, rel=1e-12)


def test_the_slope_of_the_sigmoid_is_a_quarter_at_most() -> None:
    from torchref.explainer.chain.graph import graph_of

    network = nn.SigmoidNetwork((1, 1)).double()
    with torch.no_grad():
        network.linear1.weight.fill_(1)
        network.linear1.bias.fill_(0)
    z = torch.linspace(-5, 5, 101, dtype=torch.float64)[:, None]
    slopes = graph_of(network, nn.SquaredError(), z, z).stages[-1].slopes
    assert slopes.max().item() == slopes[50].item() == 0.25


def test_the_reuse_is_the_point() -> None:
    assert count((2, 2, 1), (1, 1)).saved > 0
    chains = [count((1,) * (depth + 1), (1,) * depth) for depth in range(1, 30)]
    assert [chain.reused for chain in chains] == [3 * depth - 1 for depth in range(1, 30)]
    assert [chain.recomputed for chain in chains] == [
        depth * (2 * depth + 1) for depth in range(1, 30)
    ]


@pytest.mark.parametrize(
    ("number", "name"),
    [("000", "log-loss-network"), ("002", "cost-surface"), ("004", "matrix-form")],
)
def test_a_lecture_has_its_number_too(number: str, name: str) -> None:
    assert lecture(number) is lecture(name)
