"""Every derivative in one table: each once, with its factors, in all forms, and further steps."""

import math
from pathlib import Path

import pytest
import torch

from tests.explainer.command_line import run
from torchref import InputError, nn
from torchref.explainer import Derivatives, explain_all
from torchref.explainer.all_derivatives import MOST_DERIVATIVES, MOST_ITERATIONS
from torchref.explainer.document.all_sections import uses
from torchref.explainer.lectures import LECTURES


def of_lecture(name: str, **options: object) -> Derivatives:
    lecture = LECTURES[name]
    network, x, target = lecture.drawn()
    options = {"rate": lecture.rate, "notation": lecture.notation, **options}
    return explain_all(network, lecture.loss, x, target, **options)


@pytest.mark.parametrize("name", LECTURES)
def test_every_entry_of_every_parameter_is_there_once(name: str) -> None:
    found = of_lecture(name)
    (derivatives,) = found.iterations
    network, x, target = LECTURES[name].drawn()
    gradients = torch.autograd.grad(LECTURES[name].loss(network(x), target), network.parameters())
    truth = {
        (name, tuple(entry)): gradient[tuple(entry)].item()
        for (name, _), gradient in zip(network.named_parameters(), gradients, strict=True)
        for entry in torch.ones_like(gradient).nonzero().tolist()
    }
    mine = {(each.place.name, each.place.entry): each.evidence.product for each in derivatives}
    assert len(derivatives) == len(truth)
    assert mine == pytest.approx(truth, rel=1e-12)
    assert found.verdict == "right"


def test_the_nine_derivatives_of_lecture_000_in_one_command() -> None:
    code, said = run("log-loss-network", "--all")
    assert code == 0
    assert "6 weights and 3 biases" in said
    names = ("w₁", "w₂", "b", "w₁₁", "w₂₁", "b₁", "w₁₂", "w₂₂", "b₂")
    for name in names:
        line = next(each for each in said.splitlines() if each.startswith(f"  ∂L/∂{name} "))
        assert "∂L/∂ŷ · ∂ŷ/∂z" in line
    assert "∂L/∂ŷ · ∂ŷ/∂z · ∂z/∂a₂ · ∂a₂/∂z₂ · ∂z₂/∂w₂₂" in said
    assert said.count(" right\n") == 10  # each, and the verdict


@pytest.mark.parametrize("name", LECTURES)
def test_a_factor_is_computed_once_and_where_the_explanations_say(name: str) -> None:
    (derivatives,) = of_lecture(name).iterations
    first = {(use.factor.symbol, use.factor.layer): use.by[0] for use in uses(derivatives)}
    values = {(use.factor.symbol, use.factor.layer): use.factor.value for use in uses(derivatives)}
    for each in derivatives:
        for factor in each.factors:
            key = (factor.symbol, factor.layer)
            assert values[key] == factor.value
            assert (factor.stored_by or each.gradient) == first[key]
        assert math.prod(factor.value for factor in each.factors) == pytest.approx(
            each.evidence.product, rel=1e-12
        )


def test_the_second_iteration_of_lecture_003() -> None:
    """From the updated weights, by the formulas of the lecture alone."""
    found = of_lecture("two-neuron-chain", iterations=2)
    w1, b1, w2, b2, x, target = 0.15, 0.4, 0.45, 0.65, 0.1, 0.25

    def sigma(z: float) -> float:
        return 1 / (1 + math.exp(-z))

    for iteration in found.iterations:
        a1 = sigma(w1 * x + b1)
        a2 = sigma(w2 * a1 + b2)
        outer = -(target - a2) * a2 * (1 - a2)
        inner = outer * w2 * a1 * (1 - a1)
        quantities = {quantity.symbol: quantity.value for quantity in iteration[0].forward}
        assert quantities["E"] == pytest.approx((target - a2) ** 2 / 2, rel=1e-12)
        products = {each.parameter: each.evidence.product for each in iteration}
        expected = {"w₂": outer * a1, "b₂": outer, "w₁": inner * x, "b₁": inner}
        assert products == pytest.approx(expected, rel=1e-12)
        befores = {each.parameter: each.before for each in iteration}
        assert befores == pytest.approx({"w₁": w1, "b₁": b1, "w₂": w2, "b₂": b2}, rel=1e-12)
        w1, b1 = w1 - 0.4 * inner * x, b1 - 0.4 * inner
        w2, b2 = w2 - 0.4 * outer * a1, b2 - 0.4 * outer
    code, said = run("two-neuron-chain", "--all", "--iterations", "2")
    assert code == 0
    assert "E        0.10823       0.103298" in said
    assert f"w₁       0.15          0.149591      {w1:.6g}" in said


def test_the_network_stays_as_it_was() -> None:
    network = nn.SigmoidNetwork((2, 1))
    before = [p.clone() for p in network.parameters()]
    explain_all(network, nn.MSELoss(), torch.rand(3, 2), torch.rand(3, 1), iterations=3, rate=1.0)
    for one, other in zip(before, network.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_wrong_derivative_is_named_among_the_right_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    from torchref.ops import Sigmoid

    def without_the_second_factor(ctx, grad_y):
        (y,) = ctx.saved_tensors
        return grad_y * y

    monkeypatch.setattr(Sigmoid, "backward", staticmethod(without_the_second_factor))
    found = of_lecture("cost-surface")
    assert found.verdict == "wrong"
    assert "The verdict: wrong" in str(found)


@pytest.mark.parametrize("form", ["markdown", "latex", "png"])
def test_all_derivatives_in_every_form(form: str, tmp_path: Path) -> None:
    file = tmp_path / "all"
    assert run("matrix-form", "--all", "--format", form, "--file", str(file)) == (0, "")
    content = file.read_bytes()
    if form == "latex":
        content.decode("ascii")
    if form == "markdown":
        assert "| `∂E/∂W⁽²⁾₁₁` |" in content.decode()


def test_with_several_examples_the_values_are_sums() -> None:
    code, said = run("--sizes", "2,3,2", "--loss", "squared", "--examples", "3", "--all")
    assert code == 0
    assert "Each value is the sum of the products of all 3 examples." in said
    assert "What is stored of example 0, and reused" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--all", "--weight", "1:1,1"), "--all explains every weight and bias"),
        (("--iterations", "2"), "--iterations must go with --all"),
        (("--all", "--iterations", "99"), f"less than or equal to {MOST_ITERATIONS}"),
        (("--all", "--sizes", "30,30,1"), f"at most {MOST_DERIVATIVES} parameters, but this"),
    ],
)
def test_what_does_not_go_together_is_said(arguments: tuple[str, ...], said: str) -> None:
    try:
        code, printed = run(*arguments)
    except InputError as error:
        code, printed = 2, str(error)
    assert code == 2
    assert said in " ".join(printed.replace("│", " ").split())


@pytest.mark.parametrize("iterations", [0, 7, 1.5])
def test_iterations_that_are_none_are_said(iterations: object) -> None:
    with pytest.raises(InputError, match="iterations must lie in 1 … 6"):
        of_lecture("two-neuron-chain", iterations=iterations)
