"""Solutions of differential equations."""

import torch

from tests.random_inputs import leaf, normal, number

from .by_hand import backward_of, wrong


@wrong(
    "sign of time",
    ("sign-flipped",),
    "the gradient of the end time is negated",
    "rtqichen/torchdiffeq#199",
)
@backward_of(
    lambda start, time, a: torch.linalg.matrix_exp(a * time) @ start,
    lambda generator: (normal(generator, 3), number(0.7), leaf(normal(generator, 3, 3) * 0.5)),
)
def linear_equation(slip, grad_y, start, time, a, y):
    """The adjoint of the exponential's derivative is a block of a larger exponential."""
    n, exponent = len(a), a.t() * time
    grad_time = (grad_y * (a @ y)).sum() * (-1 if slip else 1)
    above = torch.cat([exponent, time * torch.outer(grad_y, start)], 1)
    below = torch.cat([torch.zeros_like(a), exponent], 1)
    grad_a = torch.linalg.matrix_exp(torch.cat([above, below]))[:n, n:]
    return torch.linalg.matrix_exp(exponent) @ grad_y, grad_time, grad_a


def steps_of_euler(start, weight, steps):
    states = [start]
    for _ in range(steps):
        states.append(states[-1] + torch.tanh(states[-1] @ weight) / steps)
    return states


def as_rows(x, width):
    return x.reshape(-1, width)


def euler_forward(start, weight, steps):
    states = steps_of_euler(start, weight, steps)
    return states[-1], {"states": torch.stack(states)}


@wrong(
    "later state",
    ("missing-local-derivative",),
    "the adjoint equation is discretised anew, at the later state of each step",
    "patrick-kidger/diffrax#499",
)
@backward_of(
    lambda start, weight, steps: steps_of_euler(start, weight, steps)[-1],
    lambda generator: (normal(generator, 2, 3), normal(generator, 3, 3), 4),
    forward=euler_forward,
    once=True,
)
def euler(slip, grad_y, states, weight):
    steps, grad_weight = len(states) - 1, torch.zeros_like(weight)
    for k in reversed(range(steps)):
        state = states[k + 1] if slip else states[k]
        grad_z = grad_y * (1 - torch.tanh(state @ weight) ** 2)
        left, right = as_rows(state, len(weight)), as_rows(grad_z, len(weight))
        grad_weight += left.t() @ right / steps
        grad_y = grad_y + grad_z @ weight.t() / steps
    return grad_y, grad_weight, None
