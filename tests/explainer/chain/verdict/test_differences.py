"""The rise of each op is its difference, also where a subtraction would leave no digit."""

from decimal import Decimal, getcontext

import pytest
import torch
from torch import Tensor

from torchref import nn, ops
from torchref.explainer.chain.verdict.differences import ACTIVATIONS, LOSSES

getcontext().prec = 60
SMALL = 1e-30


def sigma(z: Decimal) -> Decimal:
    return 1 / (1 + (-z).exp())


def softplus(z: Decimal) -> Decimal:
    return (1 + z.exp()).ln()


T = Decimal("0.25")
EXACT = {
    ops.Sigmoid: sigma,
    ops.Tanh: lambda z: 2 * sigma(2 * z) - 1,
    ops.ReLU: lambda z: max(z, Decimal(0)),
    ops.SquaredError: lambda x: (x - T) ** 2,
    ops.LogLoss: lambda x: -T * x.ln() - (1 - T) * (1 - x).ln(),
    ops.LogLossWithLogits: lambda x: T * softplus(-x) + (1 - T) * softplus(x),
}
FURTHER = {ops.LogLossWithLogits: (None,)}


def rise(op: type, x: float, step: float) -> float:
    x, step = (torch.tensor([[value]], dtype=torch.float64) for value in (x, step))
    if op in ACTIVATIONS:
        return ACTIVATIONS[op](x, step).item()
    target = torch.full_like(x, float(T))
    return LOSSES[op](x, step, target, *FURTHER.get(op, ())).item()


@pytest.mark.parametrize("step", [SMALL, -SMALL, 0.01, -0.01])
@pytest.mark.parametrize("x", [0.02, 0.3, 0.9])
@pytest.mark.parametrize("op", EXACT)
def test_a_rise_has_all_digits_however_small(op: type, x: float, step: float) -> None:
    exact = EXACT[op](Decimal(x) + Decimal(step)) - EXACT[op](Decimal(x))
    assert rise(op, x, step) == pytest.approx(float(exact), rel=1e-13)


@pytest.mark.parametrize(("x", "step"), [(-800.0, 1600.0), (3.0, -40.0), (-0.1, 0.3), (0.1, -0.3)])
@pytest.mark.parametrize("op", ACTIVATIONS)
def test_far_apart_it_is_the_plain_difference(op: type, x: float, step: float) -> None:
    exact = EXACT[op](Decimal(x) + Decimal(step)) - EXACT[op](Decimal(x))
    assert rise(op, x, step) == pytest.approx(float(exact), rel=1e-12)


def test_the_cross_entropy_rises_by_what_its_value_does() -> None:
    torch.manual_seed(0)
    x, step, target = torch.randn(3, 4, 5).double()

    def value(x: Tensor) -> Tensor:
        return target.sum(dim=1) * x.logsumexp(dim=1) - (target * x).sum(dim=1)

    found = LOSSES[ops.SoftmaxCrossEntropy](x, step, target)
    torch.testing.assert_close(found, value(x + step) - value(x))
    tiny = LOSSES[ops.SoftmaxCrossEntropy](x, SMALL * step, target)
    slope = ((x.softmax(dim=1) * target.sum(1, True) - target) * step).sum(dim=1)
    torch.testing.assert_close(tiny / SMALL, slope, rtol=1e-12, atol=1e-14)


def test_every_op_that_is_explained_has_one() -> None:
    from torchref.backprop.correspondence import LOSSES as OF_THE_SWEEP
    from torchref.explainer.chain.formulas import SLOPES

    assert set(ACTIVATIONS) == set(SLOPES)
    assert set(LOSSES) == {each.op for each in OF_THE_SWEEP.values()}
    assert nn.MSELoss in OF_THE_SWEEP
