"""The simple recurrent network: one activation, a tanh or a ReLU."""

from functools import partial

from torchref.ops.activations.piecewise import ReLU
from torchref.ops.activations.sigmoid import Tanh
from torchref.ops.recurrent.recurrence import OneStep, OverTime, Step, advanced, swept


def advance(activation, x, u, h):  # noqa: ARG001
    return (activation.forward(x + u),)


def slopes(x, u, h, next_h):  # noqa: ARG001
    """The next state, in which the differentials of both activations are written."""
    return (next_h,)


def retreat(activation, slopes, grad_h):
    grad_a = activation.differential(grad_h, *slopes)
    return grad_a, grad_a, (None,)


def follow(activation, slopes, dx, du, dh):  # noqa: ARG001
    return (activation.differential(dx + du, *slopes),)


def step(activation):
    return Step(
        1,
        partial(advance, activation),
        slopes,
        partial(retreat, activation),
        partial(follow, activation),
    )


STEPS = {"tanh": step(Tanh), "relu": step(ReLU)}


def step_of(nonlinearity):
    return STEPS[nonlinearity]


class RNNCell(OneStep):
    r"""y = φ(x + h Wᵀ + b) with φ = tanh or ReLU, and h the state; x is the share of the inputs.

    Derivation: with a = x + h Wᵀ + b, ∂L/∂a = ∂L/∂y φ′(a), which is ∂L/∂y (1 − y²) for tanh and
    ∂L/∂y where y > 0 for ReLU. So ∂L/∂x = ∂L/∂a, ∂L/∂h = ∂L/∂a W, ∂L/∂W = Σ ∂L/∂aᵀ h and
    ∂L/∂b = Σ ∂L/∂a.
    Shapes: x, state and y (..., H), weight (H, H), bias (H) or None.
    Saves all inputs and y.
    Source: Elman 1990; torch's layout.

    >>> RNNCell.call(torch.tensor([0.5]), torch.tensor([2.0]), torch.ones(1, 1), None, "relu")
    tensor([2.5000])
    """

    step = step_of

    @staticmethod
    def forward(x, state, weight, bias, nonlinearity):
        return advanced(STEPS[nonlinearity], x, state, weight, bias)


class RNN(OverTime):
    r"""y_t = `RNNCell`(x_t, y_{t−1}) for t = 1 to T, and y_0 = state.

    Derivation: see `recurrence` for the way back through time, and `RNNCell` for its steps. Over
    T − t steps a gradient has passed as many factors φ′(a) and W: it vanishes or explodes.
    Shapes: x and y (T, ..., H) with T ≥ 1, state (..., H), weight (H, H), bias (H) or None.
    Saves all inputs and y.
    Source: Elman 1990; back through time Werbos 1990; what it does to gradients Bengio et al. 1994.

    >>> x = torch.tensor([[0.5], [0.0], [0.0]])
    >>> RNN.call(x, torch.tensor([0.0]), 2 * torch.ones(1, 1), None, "relu")
    tensor([[0.5000],
            [1.0000],
            [2.0000]])
    """

    step = step_of

    @staticmethod
    def forward(x, state, weight, bias, nonlinearity):
        return swept(STEPS[nonlinearity], x, state, weight, bias)
