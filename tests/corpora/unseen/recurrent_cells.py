"""Cells of recurrent networks, and networks of them."""

import torch
from torch.autograd.function import once_differentiable

from tests.random_inputs import normals

from .by_hand import backward_of, by_hand, wrong


def lstm_step(gates, cell):
    i, f, z, o = gates.chunk(4, -1)
    later = f.sigmoid() * cell + i.sigmoid() * z.tanh()
    return o.sigmoid() * later.tanh(), later


def lstm_cell_forward(gates, cell):  # gates (batch, 4·width)
    i, f, z, o = gates.chunk(4, -1)
    i, f, z, o = i.sigmoid(), f.sigmoid(), z.tanh(), o.sigmoid()
    later = f * cell + i * z
    return (o * later.tanh(), later), {"i": i, "f": f, "z": z, "o": o, "later": later}


@wrong(
    "cell's grad dropped",
    ("missing-term", "ignores-grad-output"),
    "the cotangent of the cell's state is dropped",
    "awni/transducer",
)
@backward_of(lstm_step, normals((2, 12), (2, 3)), forward=lstm_cell_forward, once=True)
def lstm_cell(slip, grad_h, grad_later, i, f, z, o, cell, later):
    t = later.tanh()
    grad_c = grad_h * o * (1 - t * t)
    if not slip:
        grad_c = grad_c + grad_later
    grad_i, grad_f = grad_c * z * i * (1 - i), grad_c * cell * f * (1 - f)
    grad_z, grad_o = grad_c * i * (1 - z * z), grad_h * t * o * (1 - o)
    return torch.cat([grad_i, grad_f, grad_z, grad_o], -1), grad_c * f


def gru_gates(x, h, weight):
    """Reset, update, candidate, and the candidate's share of h before it is reset."""
    (xr, xu, xc), (hr, hu, hc) = x.chunk(3, -1), (h @ weight.t()).chunk(3, -1)
    reset, update = torch.sigmoid(xr + hr), torch.sigmoid(xu + hu)
    return reset, update, torch.tanh(xc + reset * hc), hc


def gru_step(x, h, weight):
    _, update, candidate, _ = gru_gates(x, h, weight)
    return (1 - update) * candidate + update * h


def gru_cell_forward(x, h, weight):  # x (batch, 3·width), weight (3·width, width)
    reset, update, candidate, before_reset = gru_gates(x, h, weight)
    gates = {"reset": reset, "update": update, "candidate": candidate, "before_reset": before_reset}
    return (1 - update) * candidate + update * h, gates


@wrong(
    "reset gate",
    ("missing-local-derivative",),
    "h for weight·h in the reset gate's gradient",
    "reset before and after the product in PaddlePaddle and haste",
)
@backward_of(gru_step, normals((2, 9), (2, 3), (9, 3)), forward=gru_cell_forward, once=True)
def gru_cell(slip, grad_y, h, weight, reset, update, candidate, before_reset):
    grad_u = grad_y * (h - candidate) * update * (1 - update)
    grad_c = grad_y * (1 - update) * (1 - candidate * candidate)
    grad_r = grad_c * (h if slip else before_reset) * reset * (1 - reset)
    grad_products = torch.cat([grad_r, grad_u, grad_c * reset], -1)
    grad_h = grad_y * update + grad_products @ weight
    return torch.cat([grad_r, grad_u, grad_c], -1), grad_h, grad_products.t() @ h


def states_of(x, weight, start):
    states = [start]
    for step in x:
        states.append(torch.tanh(step + states[-1] @ weight))
    return torch.stack(states)


def recurrent_network_forward(x, weight, start):  # x (steps, batch, width)
    states = states_of(x, weight, start)
    return states[1:].clone(), {"states": states}


@wrong(
    "no carry",
    ("missing-term",),
    "nothing is carried back from later steps",
    "backpropagation through time by learners",
)
@backward_of(
    lambda x, weight, start: states_of(x, weight, start)[1:],
    normals((4, 2, 3), (3, 3), (2, 3)),
    forward=recurrent_network_forward,
    once=True,
)
def recurrent_network(slip, grad_y, states, weight):
    grad_h, grad_weight = torch.zeros_like(states[0]), torch.zeros_like(weight)
    grad_x = torch.zeros_like(grad_y)
    for t in reversed(range(len(grad_y))):
        grad_h = grad_y[t] if slip else grad_h + grad_y[t]
        grad_x[t] = grad_h * (1 - states[t + 1] ** 2)
        grad_weight = grad_weight + states[t].t() @ grad_x[t]
        grad_h = grad_x[t] @ weight.t()
    return grad_x, grad_weight, grad_h


def last_of_sums(x):
    state = torch.zeros_like(x[0])
    for step in x:
        state = torch.tanh(state + step)
    return state


@by_hand(last_of_sums, normals((4, 3)))
def running_tanh(_):
    """A list of tensors is an attribute of ctx."""

    def forward(ctx, x):
        ctx.history = [torch.tanh(x[0])]
        for step in x[1:]:
            ctx.history.append(torch.tanh(ctx.history[-1] + step))
        return ctx.history[-1]

    @once_differentiable
    def backward(ctx, grad_y):
        grads = []
        for state in reversed(ctx.history):
            grad_y = grad_y * (1 - state * state)
            grads.append(grad_y)
        return torch.stack(grads[::-1])

    return forward, backward
