"""A mistake in every turn of a loop, or between its turns, is one finding."""

import pytest
import torch
from torch.autograd import Function

from tests.checker.given import normal
from tests.corpora.wrong_ops.rule import gradients_of
from torchref import crosscheck


def loop(xs, h, weight, recurrent):
    for x in xs:
        h = torch.tanh(x @ weight + h @ recurrent)
    return h


def swept(mistake: str) -> type[Function]:
    """The sweep back through the loop, with a mistake in every turn."""

    @gradients_of(loop)
    def Loop(grad_h, xs, h, weight, recurrent):
        before = [h]
        for x in xs:
            before.append(torch.tanh(x @ weight + before[-1] @ recurrent))
        grad_xs = torch.empty_like(xs)
        grad_weight, grad_recurrent = torch.zeros_like(weight), torch.zeros_like(recurrent)
        for turn in reversed(range(len(xs))):
            slope = 1.0 if mistake == "no slope" else 1 - before[turn + 1] ** 2
            grad_h = grad_h * slope
            kept = 0 if mistake == "overwritten" else 1
            grad_xs[turn] = grad_h @ weight.mT
            grad_weight = kept * grad_weight + xs[turn].mT @ grad_h
            grad_recurrent = kept * grad_recurrent + before[turn].mT @ grad_h
            grad_h = grad_h @ (recurrent if mistake == "transposed" else recurrent.mT)
        return grad_xs, grad_h, grad_weight, grad_recurrent

    return Loop


@pytest.mark.parametrize(
    ("mistake", "cause", "names", "told"),
    [
        (
            *("no slope", "missing-local-derivative", "xs, h, weight, recurrent"),
            "slope is missing through tanh in `h = torch.tanh(x @ weight + h @ r",
        ),
        (
            *("transposed", "transposed", "xs, h, weight, recurrent"),
            "recurrent enters the gradient to tanh, operand 1 of mm",
        ),
        (
            *("overwritten", "missing-term", "weight, recurrent"),
            "of 4 paths to weight only that through mm",
        ),
        ("none", None, None, ""),
    ],
)
def test_a_mistake_in_every_turn_of_a_loop_is_one_finding(mistake, cause, names, told) -> None:
    inputs = (normal(4, 5, 3), normal(5, 2, seed=1), normal(3, 2, seed=2), normal(2, 2, seed=3))
    findings = crosscheck(swept(mistake), loop, inputs).findings
    assert [(each.cause, each.argument) for each in findings] == ([(cause, names)] if cause else [])
    assert all(told in finding.evidence for finding in findings)


def unrolled(xs, h, weight, recurrent):
    states = []
    for x in xs:
        h = torch.tanh(x @ weight + h @ recurrent)
        states.append(h)
    return torch.stack(states)


@gradients_of(unrolled)
def ForgetsTheCarry(grad_y, xs, h, weight, recurrent):
    y = unrolled(xs, h, weight, recurrent)
    delta = grad_y * (1 - y**2)
    before = torch.cat([h[None], y[:-1]])
    grad_weight, grad_recurrent = (torch.einsum("tni,tnj->ij", a, delta) for a in (xs, before))
    return delta @ weight.mT, delta[0] @ recurrent.mT, grad_weight, grad_recurrent


@pytest.mark.parametrize("reference", [unrolled, None], ids=["beside", "alone"])
def test_a_carry_that_is_forgotten_is_one_finding(reference) -> None:
    inputs = (normal(4, 3, 2), normal(3, 5), normal(2, 5, seed=1), normal(5, 5, seed=2) / 3)
    (finding,) = crosscheck(ForgetsTheCarry, reference, inputs, thorough=False).findings
    assert finding.cause == "missing-term"
    assert "nothing is passed to tanh, operand 1 of mm" in finding.evidence


def paths(x):
    """Log of the sum over paths: steps of one kind have one operand at the edge, and two inside."""
    rows = [x[0]]
    for t in range(1, len(x)):
        terms = [[rows[-1][s]] + ([rows[-1][s - 1]] if s else []) for s in range(x.shape[1])]
        rows.append(torch.stack([torch.stack(each).logsumexp(0) for each in terms]) + x[t])
    return rows[-1].logsumexp(0)


@gradients_of(paths)
def Paths(grad_y, x):
    return grad_y * x.cos() * x.softmax(-1)


@pytest.mark.parametrize("reference", [paths, None], ids=["beside", "alone"])
def test_steps_of_one_kind_may_differ_in_their_number_of_operands(reference) -> None:
    (finding,) = crosscheck(Paths, reference, (normal(4, 3),), thorough=False).findings
    assert finding.argument == "x"
