"""One mistake inside a network makes many gradients wrong, and is told once, where it is."""

import pytest
import torch
from torch.autograd import Function

from tests.checker.diagnosis.replay import lstm
from tests.checker.given import assert_right, normal
from tests.corpora.wrong_ops.rule import gradients_of
from tests.slow import few_of
from torchref import crosscheck
from torchref.checker.causes.table import CAUSES
from torchref.checker.diagnosis.replay import search
from torchref.checker.promise import LAYOUTS

INPUTS = (
    normal(5, 3),
    normal(5, 4, seed=1),
    normal(5, 4, seed=2),
    normal(3, 16, seed=3),
    normal(4, 16, seed=4),
    normal(16, seed=5),
)
ALL, GATED = "x, h, c, weight, recurrent, bias", "x, h, weight, recurrent, bias"
MISTAKES = {
    "a slope is missing": (
        lambda step, s: {"t′": 1.0},
        *("missing-local-derivative", ALL, "missing through tanh in `return o * torch.tanh(c), c`"),
    ),
    "a slope of what goes in": (
        lambda step, s: {"t′": 1 - s["after"] ** 2},
        *("missing-local-derivative", ALL, "taken to be 1 − z² of what goes into it"),
    ),
    "a slope twice": (
        lambda step, s: {"f′": s["f"] ** 2 * (1 - s["f"]) ** 2} if "f′" in s else {},
        *("missing-local-derivative", GATED, "once too often through sigmoid in `f = torch.sigmo"),
    ),
    "another's slope": (
        lambda step, s: {"g′": s["g"] * (1 - s["g"])},
        *("missing-local-derivative", GATED, "slope of tanh in `g = torch.tanh(g)` is taken to be"),
    ),
    "a path": (
        lambda step, s: {"dt": 0.0},
        *("missing-term", ALL, "nothing is passed to tanh, operand 2 of mul in `return o * torch"),
    ),
    "a sign": (
        lambda step, s: {"do": -s["do"]} if step == "cell" else {},
        *("sign-flipped", GATED, "the sign is lost to sigmoid, operand 1 of mul in `return o"),
    ),
    "a factor": (
        lambda step, s: {"di": s["di"] / 2} if step == "gates" else {},
        *("constant-factor", GATED, "operand 1 of mul in `c = f * c + i * g` is 0.5 times what it"),
    ),
    "two factors exchanged": (
        lambda step, s: {"di": s["dg"], "dg": s["di"]} if step == "gates" else {},
        *("swapped-arguments", GATED, "operands 1 and 2 of mul in `c = f * c + i * g`"),
    ),
    "gates in another order": (
        lambda step, s: {"order": (0, 1, 3, 2)},
        *("swapped-arguments", GATED, "through split in `i, f, g, o = (x @ weight + h @ recurr"),
    ),
    "another value": (
        lambda step, s: {"df": s["δc"] * s["after"]} if step == "gates" else {},
        *("missing-local-derivative", GATED, "to sigmoid, operand 1 of mul in `c = f * c + i"),
    ),
    "a factor of one argument": (
        lambda step, s: {"dc": s["δc"]} if step == "gates" else {},
        *("missing-local-derivative", "c", "to c, operand 2 of mul in `c = f * c + i * g`"),
    ),
}


@pytest.mark.parametrize("reference", [lstm.forward, None], ids=["beside", "alone"])
@pytest.mark.parametrize("called", few_of(MISTAKES))
def test_a_mistake_in_a_cell_is_one_finding(called: str, reference) -> None:
    mistake, cause, names, told = MISTAKES[called]
    inputs = dict(zip(lstm.NAMES, INPUTS, strict=True))
    (finding,) = crosscheck(lstm.cell(mistake), reference, inputs, vary=(LAYOUTS,)).findings
    assert (finding.cause, finding.argument, finding.at) == (cause, names, "as given")
    assert told in finding.evidence
    assert cause in CAUSES


class Recurrent(torch.nn.Module):
    """A module around the cell."""

    def __init__(self, function: type[Function]) -> None:
        super().__init__()
        self.function = function
        self.weight = torch.nn.Parameter(INPUTS[3].clone())
        self.recurrent = torch.nn.Parameter(INPUTS[4].clone())
        self.bias = torch.nn.Parameter(INPUTS[5].clone())

    def forward(self, x, h, c):
        return self.function.apply(x, h, c, self.weight, self.recurrent, self.bias)


def test_a_mistake_in_a_module_is_one_finding_without_a_reference() -> None:
    mistake, cause, names, told = MISTAKES["a slope is missing"]
    report = crosscheck(Recurrent(lstm.cell(mistake)), inputs=INPUTS[:3], thorough=False)
    assert [(each.cause, each.argument) for each in report.findings] == [(cause, names)]
    assert told in report.findings[0].evidence


def test_what_no_step_explains_is_told_once_for_all_that_bear_no_mark() -> None:
    mistake, *_ = MISTAKES["a slope is missing"]
    right = lstm.cell()
    wrong = lstm.cell(mistake).apply  # held fast: its forward is out of sight, as its reference's
    finding, *others = crosscheck(lambda *xs: wrong(*xs), right, INPUTS).findings
    assert (finding.cause, finding.argument) == ("missing-term", "xs[0], xs[1], xs[2]")
    told = (
        "what comes of the gradient of output 0 alone is wrong, and what comes of that of output 1"
    )
    assert told in finding.evidence
    assert {other.cause for other in others} == {"wrong-elements"}  # of one gate all are right


def test_the_right_cell_is_right() -> None:
    assert_right(lstm.cell(), lstm.forward, INPUTS)


def normalised(x):
    mean = x.mean(-1, keepdim=True)
    variance = (x - mean).square().mean(-1, keepdim=True)
    return (x - mean) * torch.rsqrt(variance)


@gradients_of(normalised)
def HoldsStatisticsConstant(grad_y, x):
    return grad_y * torch.rsqrt(x.var(-1, correction=0, keepdim=True))


def test_two_paths_left_out_are_one_finding() -> None:
    (finding,) = crosscheck(HoldsStatisticsConstant, normalised, (normal(4, 5),)).findings
    assert finding.cause == "missing-term"
    assert "`return (x - mean) * torch.rsqrt(variance)`" in finding.evidence
    assert "; nothing is passed" in finding.evidence


@gradients_of(lambda x, weight: torch.sigmoid(x @ weight))
def TwoMistakes(grad_y, x, weight):
    y = torch.sigmoid(x @ weight)
    return (grad_y * y).exp() @ weight.mT, x.mT @ (grad_y * y).cos()


ANGLES = normal(5, 3, seed=9)


def rotated(x):
    first, second = x.chunk(2, -1)
    turned = first * ANGLES.cos() - second * ANGLES.sin()
    return torch.cat([turned, second * ANGLES.cos() + first * ANGLES.sin()], -1)


@gradients_of(rotated)
def RotatesOn(grad_y, x):
    """A rotation, whose backward turns in the same sense."""
    return rotated(grad_y)


def test_two_signs_that_are_lost_are_one_finding() -> None:
    (finding,) = crosscheck(RotatesOn, rotated, (normal(5, 6),)).findings
    assert finding.cause == "sign-flipped"
    assert finding.evidence.count("the sign is lost to mul") == 2


def scaled(x, weight):
    normed = x * torch.rsqrt(x.square().mean(-1, keepdim=True))
    return normed * weight


@gradients_of(scaled)
def TakesTheInputForTheNormed(grad_y, x, weight):
    r = torch.rsqrt(x.square().mean(-1, keepdim=True))
    g = grad_y * weight
    grad_x = g * r - x * r**3 * (g * x).mean(-1, keepdim=True)
    return grad_x, (grad_y * x).sum(0)


def test_another_value_under_a_sum_is_found() -> None:
    """The weight is broadcast, and its gradient summed."""
    inputs = {"x": normal(6, 5), "weight": normal(5, seed=1)}
    (finding,) = crosscheck(TakesTheInputForTheNormed, scaled, inputs).findings
    assert (finding.cause, finding.argument) == ("missing-local-derivative", "weight")
    assert "is computed with x instead" in finding.evidence


def two_layers(x, first, second):
    hidden = torch.tanh(x @ first)
    return torch.tanh(hidden @ second)


def without_slopes(of_the_first: bool, of_the_second: bool) -> type[Function]:
    @gradients_of(two_layers)
    def TwoLayers(grad_y, x, first, second):
        hidden = torch.tanh(x @ first)
        y = torch.tanh(hidden @ second)
        grad_z = grad_y if of_the_second else grad_y * (1 - y**2)
        back = grad_z @ second.mT
        grad_a = back if of_the_first else back * (1 - hidden**2)
        return grad_a @ first.mT, x.mT @ grad_a, hidden.mT @ grad_z

    return TwoLayers


LAYERS = (normal(6, 3), normal(3, 5, seed=1), normal(5, 2, seed=2))


def test_a_mistake_of_one_step_is_sought_while_there_is_time(monkeypatch) -> None:
    wrong = without_slopes(of_the_first=True, of_the_second=False)
    for most_gone_back in (search.MOST_GONE_BACK, 0):
        monkeypatch.setattr(search, "MOST_GONE_BACK", most_gone_back)
        told = crosscheck(wrong, two_layers, LAYERS).findings[0].evidence
        assert ("missing through tanh in" in told) == (most_gone_back > 0)


@pytest.mark.parametrize("most_gone_back", [search.MOST_GONE_BACK, 0])
def test_a_mistake_in_all_steps_of_a_kind_is_one_finding(monkeypatch, most_gone_back) -> None:
    monkeypatch.setattr(search, "MOST_GONE_BACK", most_gone_back)
    wrong = without_slopes(of_the_first=True, of_the_second=True)
    (finding,) = crosscheck(wrong, two_layers, LAYERS).findings
    assert (finding.cause, finding.argument) == ("missing-local-derivative", "x, first, second")
    assert "in all 2 steps of this kind" in finding.evidence


def test_what_no_one_mistake_explains_is_told_of_no_step() -> None:
    inputs = (normal(5, 3), normal(3, 4, seed=1))
    report = crosscheck(TwoMistakes, lambda x, w: torch.sigmoid(x @ w), inputs)
    told = {finding.argument: finding for finding in report.findings if finding.at == "as given"}
    assert "likely one mistake" in told["x, weight"].evidence
    assert not any("sigmoid" in finding.evidence for finding in told.values())


class Long(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.turns = search.MOST_STEPS + 1
        for _ in range(ctx.turns):
            x = torch.sin(x)
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y * ctx.saved_tensors[0].cos().exp()


def test_of_very_many_steps_none_is_played_again() -> None:
    (finding, *_) = crosscheck(Long, None, (normal(3, 2),), thorough=False).findings
    assert "sin in" not in finding.evidence


def bypassed(x, weight):
    return x + torch.tanh(x * weight)


@gradients_of(bypassed)
def AlmostForgets(grad_y, x, weight):
    """Of one path nothing is passed on, but for what is left in memory."""
    return grad_y, 1e-15 * grad_y * x * (1 - torch.tanh(x * weight) ** 2)


def test_what_is_next_to_nothing_is_no_factor() -> None:
    inputs = (normal(4, 3), normal(4, 3, seed=1))
    for finding in crosscheck(AlmostForgets, bypassed, inputs, thorough=False).findings:
        assert "0 times" not in finding.evidence
        assert finding.cause == "missing-term"
