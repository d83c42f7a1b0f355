"""The long short-term memory: a cell state that is kept, written and read by gates."""

import torch

from torchref.ops.activations.gated_units import sigmoid_differential
from torchref.ops.activations.sigmoid import Sigmoid, Tanh
from torchref.ops.recurrent.recurrence import OneStep, OverTime, Step


def advance(x, u, h, c):  # noqa: ARG001
    i, f, g, o = (x + u).chunk(4, -1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def slopes(x, u, h, c, next_h, next_c):  # noqa: ARG001
    """∂c′/∂a_i, ∂c′/∂a_f, ∂c′/∂a_g, ∂h′/∂a_o, ∂c′/∂c and ∂h′/∂c′, entry by entry."""
    i, f, g, o = (x + u).chunk(4, -1)
    candidate, read = Tanh.call(g), Tanh.call(next_c)
    return (
        sigmoid_differential(candidate, i),
        sigmoid_differential(c, f),
        Tanh.differential(Sigmoid.call(i), candidate),
        sigmoid_differential(read, o),
        Sigmoid.call(f),
        Tanh.differential(Sigmoid.call(o), read),
    )


def retreat(slopes, grad_h, grad_c):
    of_i, of_f, of_g, of_o, kept, read = slopes
    grad_c = grad_c + grad_h * read
    grad_a = torch.cat((grad_c * of_i, grad_c * of_f, grad_c * of_g, grad_h * of_o), -1)
    return grad_a, grad_a, (None, grad_c * kept)


def follow(slopes, dx, du, dh, dc):  # noqa: ARG001
    of_i, of_f, of_g, of_o, kept, read = slopes
    di, df, dg, do = (dx + du).chunk(4, -1)
    dc = of_i * di + of_f * df + of_g * dg + kept * dc
    return read * dc + of_o * do, dc


STEP = Step(2, advance, slopes, retreat, follow)


class LSTMCell(OneStep):
    r"""y = [h′, c′] with c′ = f c + i g and h′ = o tanh c′, the gates i, f, o = σ(a), g = tanh a_g.

    a = x + h Wᵀ + b holds them in torch's order i, f, g, o; x is the share of the inputs.

    Derivation: c′ reaches the loss by itself and by h′, so with ∂L/∂h′ and ∂L/∂c′ of the outside
        s = ∂L/∂c′ + ∂L/∂h′ o (1 − tanh² c′),
        ∂L/∂a_i = s g σ′(a_i),  ∂L/∂a_f = s c σ′(a_f),  ∂L/∂a_g = s i (1 − g²),
        ∂L/∂a_o = ∂L/∂h′ tanh c′ σ′(a_o),  ∂L/∂c = s f,
    with σ′(a) = σ(a) σ(−a), and a is affine in h: ∂L/∂h = ∂L/∂a W. Along c the gradient passes a
    step as the factor f, and through no matrix. `lstm_cell_steps` goes the long way.
    Shapes: x (..., 4H), state and y (..., 2H) as [h, c], weight (4H, H), bias (4H) or None.
    Saves all inputs and y: the gates are computed anew, so that second order is right.
    Source: Hochreiter and Schmidhuber 1997; the forget gate of Gers et al. 2000; torch's layout.

    >>> x, state = torch.tensor([0.0, 1e4, 0.0, 1e4]), torch.tensor([0.0, 0.5])
    >>> LSTMCell.call(x, state, torch.zeros(4, 1), None)  # it forgets nothing, and learns nothing
    tensor([0.4621, 0.5000])
    """

    step = STEP


class LSTM(OverTime):
    r"""y_t = `LSTMCell`(x_t, y_{t−1}) for t = 1 to T, and y_0 = state.

    Derivation: see `recurrence` for the way back through time, and `LSTMCell` for its steps.
    Shapes: x (T, ..., 4H) with T ≥ 1, state (..., 2H), weight (4H, H), bias (4H) or None; y
    (T, ..., 2H) as [h, c] of every step.
    Saves all inputs and y.
    Source: Hochreiter and Schmidhuber 1997; back through time Werbos 1990.

    >>> x = torch.tensor([[0.0, 1e4, 0.0, 1e4], [0.0, -1e4, 0.0, 1e4]])
    >>> LSTM.call(x, torch.tensor([0.0, 0.5]), torch.zeros(4, 1), None)
    tensor([[0.4621, 0.5000],
            [0.0000, 0.0000]])
    """

    step = STEP
