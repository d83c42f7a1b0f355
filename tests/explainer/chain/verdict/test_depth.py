"""A verdict at every depth and with many examples, or a reason why there is none."""

import pytest
import torch

from tests.slow import few_of
from torchref import explain, nn
from torchref.explainer import Explanation

LOSSES = {
    "log": nn.BCELoss,
    "mean-squared": nn.MSELoss,
    "half": lambda: nn.SquaredError("half_sum"),
}


def deep(levels: int, examples: int, loss: nn.Module, width: int = 1) -> Explanation:
    torch.manual_seed(levels)
    network = nn.SigmoidNetwork((*(width,) * levels, 1)).double()
    x, target = torch.randn(examples, width), torch.rand(examples, 1).round()
    return explain(network, loss, x.double(), target.double())


def at_a_kink(x: float) -> Explanation:
    network = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1)).double()
    nn.init.zeros_(network[0].weight)
    nn.init.zeros_(network[0].bias)
    return explain(network, nn.MSELoss(), torch.full((1,), x), torch.ones(1))


@pytest.mark.parametrize("examples", [1, 3, 100])
@pytest.mark.parametrize("levels", few_of(range(2, 31), every=7))
def test_a_verdict_at_two_to_thirty_levels(levels: int, examples: int) -> None:
    for loss in LOSSES.values():
        found = deep(levels, examples, loss())
        assert found.verdict == "right"
        error = found.evidence.difference.error
        assert error < 1e-8 * found.evidence.magnitude
        assert "The verdict: right" in str(found)


def test_a_network_with_more_paths_than_any_number_holds_is_said_in_words() -> None:
    """20 to the 279: a tanh keeps the derivative large enough to be checked."""
    torch.manual_seed(0)
    levels = [layer for _ in range(280) for layer in (nn.Linear(20, 20), nn.Tanh())]
    for layer in levels[::2]:
        nn.init.orthogonal_(layer.weight)
    network = nn.Sequential(*levels).double()
    found = explain(network, nn.MSELoss(), torch.rand(20), torch.rand(20))
    assert found.verdict == "right"
    assert "9.71e+362 paths lead" in str(found)


@pytest.mark.parametrize("levels", [6, 18, 30])
def test_a_verdict_where_many_paths_lead_to_the_loss(levels: int) -> None:
    assert deep(levels, 3, nn.BCELoss(), width=4).verdict == "right"


@pytest.mark.parametrize("width", [1, 16])
@pytest.mark.parametrize("levels", [3, 12, 30])
def test_a_wrong_slope_is_seen_by_the_differences_at_any_depth(
    levels: int, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wrong by a part in a million in one activation, with autograd wrong alike."""
    from torchref.explainer.chain.verdict import evidence
    from torchref.ops import Sigmoid

    right = Sigmoid.backward

    def backward(ctx: object, grad_y: torch.Tensor) -> torch.Tensor:
        return right(ctx, grad_y) * (1 + 1e-6)

    monkeypatch.setattr(Sigmoid, "backward", staticmethod(backward))
    monkeypatch.setattr(evidence, "twin", lambda layer: layer.op.call)
    found = deep(levels, 1, nn.MSELoss(), width)
    assert found.evidence.autograd == pytest.approx(found.evidence.product, rel=1e-12)
    assert found.verdict == "wrong"


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (lambda: deep(400, 1, nn.MSELoss()), "where float64 has few digits or none"),
        (lambda: deep(600, 3, nn.MSELoss()), "where float64 has few digits or none"),
        (lambda: at_a_kink(1.0), "do not settle"),
    ],
)
def test_where_nobody_can_tell_it_says_why(found: object, reason: str) -> None:
    explained = found()
    assert explained.verdict == "cannot tell"
    assert reason in explained.evidence.reason
    assert reason in str(explained)


@pytest.mark.parametrize("x", [1e-6, 1e-3, 1.0, 1e3, 1e6])
def test_at_a_kink_nobody_is_called_wrong(x: float) -> None:
    for seed in range(5):
        torch.manual_seed(seed)
        assert at_a_kink(x).verdict == "cannot tell"


def test_rounding_is_small_beside_the_gradient_of_a_wide_and_deep_network() -> None:
    """The sum of the paths without their signs is 1e20 times as large: any gradient would pass."""
    evidence = deep(30, 10, nn.MSELoss(), width=16).evidence
    assert 0 < evidence.rounding + evidence.difference.tolerance < 1e-6 * abs(evidence.product)


def test_a_saturated_sigmoid_is_not_called_wrong() -> None:
    """1 − a has few digits there: product and autograd have lost them, the differences have not."""
    for scale in (1, 10, 30, 35, 37, 40, 100, 1000):
        for loss in (nn.BCELoss(), nn.MSELoss()):
            for sign in (-1, 1):
                network = nn.SigmoidNetwork((2, 2, 1)).double()
                nn.init.constant_(network.linear2.weight, sign * scale)
                x, target = torch.rand(2).double(), torch.rand(1).double().round()
                found = explain(network, loss, x, target)
                assert found.verdict != "wrong"
                assert bool(found.evidence.reason) == (found.verdict == "cannot tell")


def test_an_output_that_is_nearly_right_is_not_called_wrong() -> None:
    for distance in (0.0, 1e-17, 1e-15, 1e-12, 1e-9):
        network = nn.SigmoidNetwork((3, 4, 2)).double()
        x = torch.rand(5, 3).double()
        target = network(x).detach() + distance
        assert explain(network, nn.MSELoss(), x, target).verdict != "wrong"


@pytest.mark.parametrize("loss", ["mean", "sum", "half_sum", "half_mean"])
def test_the_losses_of_the_examples_make_the_loss(loss: str) -> None:
    torch.manual_seed(0)
    network, x, target = nn.SigmoidNetwork((3, 2)), torch.rand(4, 3), torch.rand(4, 2)
    own, said = [], ""
    for example in range(4):
        found = explain(network, nn.SquaredError(loss), x, target, example=example)
        *_, one, whole = found.forward
        assert one.symbol == f"L of example {example}"
        own.append(one.value)
        said = whole.formula
    assert said == f"the {'mean' if 'mean' in loss else 'sum'} over 4 examples"
    together = sum(own) / (4 if "mean" in loss else 1)
    assert whole.value == pytest.approx(together, rel=1e-12)


def test_with_several_examples_no_symbol_has_two_values() -> None:
    found = deep(3, 3, nn.BCELoss(), width=2)
    assert f"{found.gradient} = Σ " in str(found)
    values = {line for line in str(found).splitlines() if line.startswith(f"{found.gradient} = ")}
    assert len(values) == 2  # the symbols, and the sum over the examples
    shown = [quantity.symbol for quantity in found.forward if quantity.value is not None]
    assert len(set(shown)) == len(shown)
