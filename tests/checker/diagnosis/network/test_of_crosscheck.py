"""Gradients of one network that bear no mark alone show together which slope is lost."""

import pytest
import torch
from torch import Tensor

from tests.checker.given import gradients_in, normal
from tests.corpora.wrong_ops.rule import Rule
from torchref import crosscheck


class Network(Rule):
    """Σ (σ(σ(x w1) w2) − 0.3)², over two layers with a loss behind them."""

    @staticmethod
    def forward(x, w1, w2):
        return (torch.sigmoid(torch.sigmoid(x @ w1) @ w2) - 0.3).square().sum()

    @staticmethod
    def gradients(grad_y, x, w1, w2):
        return Network.through(grad_y, x, w1, w2, Network.slope, Network.slope)

    @staticmethod
    def slope(a: Tensor) -> Tensor:
        return a * (1 - a)

    @staticmethod
    def through(grad_y, x, w1, w2, hidden, output):
        a1 = torch.sigmoid(x @ w1)
        a2 = torch.sigmoid(a1 @ w2)
        delta2 = grad_y * 2 * (a2 - 0.3) * output(a2)
        delta1 = delta2 @ w2.mT * hidden(a1)
        return delta1 @ w1.mT, x.mT @ delta1, a1.mT @ delta2


INPUTS = (normal(6, 3), normal(3, 5, seed=1), normal(5, 2, seed=2))


@pytest.mark.parametrize("slope", [torch.ones_like, lambda a: Network.slope(a) ** 2])
def test_a_slope_that_is_missing_or_twice_there_is_told_once_for_all(slope) -> None:
    @gradients_in(Network)
    def Wrong(grad_y, x, w1, w2):
        return Network.through(grad_y, x, w1, w2, Network.slope, slope)

    apply = Wrong.apply  # held fast: neither side shows its steps
    (finding,) = crosscheck(lambda *xs: apply(*xs), Network, INPUTS).findings
    assert finding.cause == "missing-local-derivative"
    assert finding.argument == "xs[0], xs[1], xs[2]"
    assert "cosine" in finding.evidence


def test_what_is_right_in_some_entries_has_lost_no_slope() -> None:
    @gradients_in(Network)
    def Wrong(grad_y, x, w1, w2):
        return tuple(
            torch.where(normal(*g.shape, seed=7) > 0, g, 4 * g * normal(*g.shape).abs())
            for g in Network.gradients(grad_y, x, w1, w2)
        )

    found = crosscheck(lambda *xs: Wrong.apply(*xs), Network, INPUTS).findings
    assert "missing-local-derivative" not in {finding.cause for finding in found}


def test_gradients_that_are_wrong_at_random_have_no_slope_in_common() -> None:
    @gradients_in(Network)
    def Wrong(grad_y, x, w1, w2):
        right = Network.gradients(grad_y, x, w1, w2)
        return tuple(g * normal(*g.shape, seed=5) for g in right)

    causes = {finding.cause for finding in crosscheck(Wrong, Network.forward, INPUTS).findings}
    assert "missing-local-derivative" not in causes
