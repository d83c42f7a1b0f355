"""Rounding with the gradient passed straight through; the reference says what is passed."""

import torch

from tests.random_inputs import normal, normals, number, uniform

from .by_hand import backward_of, wrong


def rounded(x):
    return x + (x.round() - x).detach()


def quantised(x, scale, low, high):
    q = rounded(x / scale)
    inside = (q.detach() >= low) & (q.detach() <= high)
    return torch.where(inside, q, q.detach().clamp(low, high)) * scale


def fake_quantisation_forward(x, scale, low, high):
    q = torch.round(x / scale)
    return q.clamp(low, high) * scale, {"q": q}


@wrong(
    "no clip",
    ("wrong-elements",),
    "values beyond the range still get a gradient",
    "microsoft/nni#3160",
    ordinary=lambda generator: (uniform(generator, -0.7, 0.7, 4, 5), 0.1, -8, 7),
)
@backward_of(
    quantised,
    lambda generator: (normal(generator, 4, 5), 0.1, -8, 7),
    forward=fake_quantisation_forward,
    once=True,
)
def fake_quantisation(slip, grad_y, q, low, high):
    grad_x = grad_y if slip else grad_y * ((q >= low) & (q <= high))
    return grad_x, None, None, None


def with_a_learnt_step(x, step, levels):
    v = x / step
    clipped = torch.where(v.abs() <= levels, v, v.detach().sign() * levels)
    return rounded(clipped) * step


def learnt_step_forward(x, step, levels):
    v = x / step
    return v.clamp(-levels, levels).round() * step, {"v": v}


@wrong(
    "step without its rest",
    ("missing-term",),
    "round(v) for round(v) − v in the step's gradient",
    "microsoft/nni#3503",
)
@backward_of(
    with_a_learnt_step,
    lambda generator: (normal(generator, 5, 4), number(0.3), 4),
    forward=learnt_step_forward,
    once=True,
)
def learnt_step(slip, grad_y, v, levels):
    inside = v.abs() <= levels
    within = v.round() if slip else v.round() - v
    slope = torch.where(inside, within, v.sign() * levels)
    return grad_y * inside, (grad_y * slope).sum(), None


def to_quarters(x):
    return torch.round(x * 4) / 4


@wrong(
    "passed on",
    ("straight-through",),
    "the gradient of a function of steps is passed on",
    "huggingface/optimum-quanto#146",
)
@backward_of(to_quarters, normals((3, 4)), right=False)
def rounding(_, grad_y):
    return grad_y


@backward_of(lambda x: x + (to_quarters(x) - x).detach(), normals((3, 4)), forward=to_quarters)
def rounding_straight_through(_, grad_y):
    return grad_y
