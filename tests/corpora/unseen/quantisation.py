"""Rounding with the gradient passed straight through; the reference says what is passed."""

import torch
from torch.autograd.function import once_differentiable

from tests.random_inputs import normal, normals, number, uniform

from .by_hand import Slip, by_hand


def rounded(x):
    return x + (x.round() - x).detach()


def quantised(x, scale, low, high):
    q = rounded(x / scale)
    inside = (q.detach() >= low) & (q.detach() <= high)
    return torch.where(inside, q, q.detach().clamp(low, high)) * scale


@by_hand(
    quantised,
    lambda generator: (normal(generator, 4, 5), 0.1, -8, 7),
    Slip(
        "no clip",
        ("wrong-elements",),
        "values beyond the range still get a gradient",
        "microsoft/nni#3160",
        ordinary=lambda generator: (uniform(generator, -0.7, 0.7, 4, 5), 0.1, -8, 7),
    ),
)
def fake_quantisation(slip):
    def forward(ctx, x, scale, low, high):
        q = torch.round(x / scale)
        ctx.save_for_backward(q)
        ctx.range = low, high
        return q.clamp(low, high) * scale

    @once_differentiable
    def backward(ctx, grad_y):
        (q,) = ctx.saved_tensors
        low, high = ctx.range
        grad_x = grad_y if slip else grad_y * ((q >= low) & (q <= high))
        return grad_x, None, None, None

    return forward, backward


def with_a_learnt_step(x, step, levels):
    v = x / step
    clipped = torch.where(v.abs() <= levels, v, v.detach().sign() * levels)
    return rounded(clipped) * step


@by_hand(
    with_a_learnt_step,
    lambda generator: (normal(generator, 5, 4), number(0.3), 4),
    Slip(
        "step without its rest",
        ("missing-term",),
        "round(v) for round(v) − v in the step's gradient",
        "microsoft/nni#3503",
    ),
)
def learnt_step(slip):
    def forward(ctx, x, step, levels):
        v = x / step
        ctx.save_for_backward(v, step)
        ctx.levels = levels
        return v.clamp(-levels, levels).round() * step

    @once_differentiable
    def backward(ctx, grad_y):
        v, _ = ctx.saved_tensors
        inside = v.abs() <= ctx.levels
        within = v.round() if slip else v.round() - v
        slope = torch.where(inside, within, v.sign() * ctx.levels)
        return grad_y * inside, (grad_y * slope).sum(), None

    return forward, backward


def to_quarters(x):
    return torch.round(x * 4) / 4


def passed_on():
    def forward(_, x):
        return to_quarters(x)

    def backward(_, grad_y):
        return grad_y

    return forward, backward


@by_hand(
    to_quarters,
    normals((3, 4)),
    Slip(
        "passed on",
        ("straight-through",),
        "the gradient of a function of steps is passed on",
        "huggingface/optimum-quanto#146",
    ),
    in_its_right_form=False,
)
def rounding(_):
    return passed_on()


@by_hand(lambda x: x + (to_quarters(x) - x).detach(), normals((3, 4)))
def rounding_straight_through(_):
    return passed_on()
