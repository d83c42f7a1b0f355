"""The gated recurrent unit: the state is a mixture of itself and of a candidate."""

import torch

from torchref.ops.activations.gated_units import sigmoid_differential
from torchref.ops.activations.sigmoid import Sigmoid, Tanh
from torchref.ops.recurrent.recurrence import OneStep, OverTime, Step


def advance(x, u, h):
    (x_r, x_z, x_n), (u_r, u_z, u_n) = x.chunk(3, -1), u.chunk(3, -1)
    candidate = torch.tanh(x_n + torch.sigmoid(x_r + u_r) * u_n)
    return (candidate + torch.sigmoid(x_z + u_z) * (h - candidate),)


def slopes(x, u, h, next_h):  # noqa: ARG001
    """∂(r u_n)/∂a_r, ∂h′/∂a_z, ∂h′/∂a_n, r and z, entry by entry."""
    (x_r, x_z, x_n), (u_r, u_z, u_n) = x.chunk(3, -1), u.chunk(3, -1)
    a_r, a_z = x_r + u_r, x_z + u_z
    r = Sigmoid.call(a_r)
    candidate = Tanh.call(x_n + r * u_n)
    return (
        sigmoid_differential(u_n, a_r),
        sigmoid_differential(h - candidate, a_z),
        Tanh.differential(Sigmoid.call(-a_z), candidate),
        r,
        Sigmoid.call(a_z),
    )


def retreat(slopes, grad_h):
    of_r, of_z, of_n, r, z = slopes
    grad_n = grad_h * of_n
    grad_r, grad_z = grad_n * of_r, grad_h * of_z
    grad_x = torch.cat((grad_r, grad_z, grad_n), -1)
    grad_u = torch.cat((grad_r, grad_z, grad_n * r), -1)
    return grad_x, grad_u, (grad_h * z,)


def follow(slopes, dx, du, dh):
    of_r, of_z, of_n, r, z = slopes
    (dx_r, dx_z, dx_n), (du_r, du_z, du_n) = dx.chunk(3, -1), du.chunk(3, -1)
    dn = dx_n + r * du_n + of_r * (dx_r + du_r)
    return (of_n * dn + of_z * (dx_z + du_z) + z * dh,)


STEP = Step(1, advance, slopes, retreat, follow)


class GRUCell(OneStep):
    r"""y = (1 − z) n + z h with n = tanh(x_n + r u_n) and r, z = σ(x + u), where u = h Wᵀ + b.

    x and u hold r, z and n in torch's order; x is the share of the inputs. r closes the way from h
    to the candidate n after the matrix: that is torch's form, and cuDNN's.

    Derivation: with g = ∂L/∂y, and a_n the argument of the tanh,
        ∂L/∂a_n = g (1 − z) (1 − n²),  ∂L/∂a_z = g (h − n) σ′(a_z),  ∂L/∂a_r = ∂L/∂a_n u_n σ′(a_r),
    with σ′(a) = σ(a) σ(−a) and 1 − z = σ(−a_z). x has these gradients, and u the same but for
    ∂L/∂u_n = ∂L/∂a_n r. ∂L/∂h = g z + ∂L/∂u W.
    Shapes: x (..., 3H), state and y (..., H), weight (3H, H), bias (3H) or None.
    Saves all inputs and y: the gates are computed anew, so that second order is right.
    Source: Cho et al. 2014; torch's layout.

    >>> x = torch.tensor([0.0, 1e4, 0.5])
    >>> GRUCell.call(x, torch.tensor([0.25]), torch.zeros(3, 1), None)  # z is 1: it keeps its state
    tensor([0.2500])
    """

    step = STEP


class GRU(OverTime):
    r"""y_t = `GRUCell`(x_t, y_{t−1}) for t = 1 to T, and y_0 = state.

    Derivation: see `recurrence` for the way back through time, and `GRUCell` for its steps.
    Shapes: x (T, ..., 3H) with T ≥ 1, state (..., H), weight (3H, H), bias (3H) or None; y
    (T, ..., H).
    Saves all inputs and y.
    Source: Cho et al. 2014; back through time Werbos 1990.

    >>> x = torch.tensor([[0.0, 1e4, 0.5], [0.0, -1e4, 0.5]])
    >>> GRU.call(x, torch.tensor([0.25]), torch.zeros(3, 1), None)
    tensor([[0.2500],
            [0.4621]])
    """

    step = STEP
