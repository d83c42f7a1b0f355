"""What recurrent cells share: one step, and the sweep through time and back.

x_t is what the inputs add to the gates, W_ih i_t + b_ih: `Affine` computes it for all times at
once. The state y_t is h_t, for an LSTM [h_t, c_t], and h_{t−1} enters by u_t = h_{t−1} Wᵀ + b, and
by what a cell keeps of it. With g_t = ∂L/∂y_t of the outside and s_t of all that comes later,

    s_{t−1} = (g_t + s_t) ∂y_t/∂y_{t−1},  ∂L/∂x_t = (g_t + s_t) ∂y_t/∂x_t,
    ∂L/∂W = Σ_t ∂L/∂u_tᵀ h_{t−1},  ∂L/∂b = Σ_t ∂L/∂u_t,  ∂L/∂y_0 = s_0.

Every y_t is an output and saved, so that the slopes of all steps are computed at once: what remains
of the backward is a sweep of products, each with the slopes of its step. A loop over a cell's op
would keep a node and its tensors for each step, and multiply small matrices for each weight.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from torchref.ops.linear.affine import Affine, rows
from torchref.ops.op import Op, give_rules, save

Parts = tuple[Tensor, ...]  # of a state: h, and what else there is


class Step(NamedTuple):
    """A cell between its affine maps. A state comes and goes in its parts, h first.

    parts     how many parts a state has, all of one size
    advance   x, u, state            → the next state
    slopes    x, u, state, the next  → what the other two multiply with
    retreat   slopes, its gradient   → the gradients of x, of u, and of the state beside u
    follow    slopes, dx, du, dstate → the tangent of the next state
    """

    parts: int
    advance: Callable[..., Parts]
    slopes: Callable[..., Parts]
    retreat: Callable[..., tuple[Tensor, Tensor, Sequence[Tensor | None]]]
    follow: Callable[..., Parts]


def joined(parts: Sequence[Tensor]) -> Tensor:
    return torch.cat(tuple(parts), -1) if len(parts) > 1 else parts[0]


def advanced(step: Step, x: Tensor, state: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """y, the state after one step."""
    parts = state.chunk(step.parts, -1)
    return joined(step.advance(x, Affine.forward(parts[0], weight, bias), *parts))


def swept(step: Step, x: Tensor, state: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """y, the states after every step."""
    parts = state.chunk(step.parts, -1)
    seen = []
    for x_t in x.unbind(0):
        parts = step.advance(x_t, Affine.forward(parts[0], weight, bias), *parts)
        seen.append(parts)
    return joined([torch.stack(part) for part in zip(*seen, strict=True)])


def slopes_of(step: Step, x: Tensor, before: Tensor, weight: Tensor, bias: Any, y: Tensor) -> Parts:
    parts = before.chunk(step.parts, -1)
    u = Affine.forward(parts[0], weight, bias)
    return step.slopes(x, u, *parts, *y.chunk(step.parts, -1))


def states_before(state: Tensor, y: Tensor) -> Tensor:
    """y_0 to y_{T−1}."""
    return torch.cat((state.unsqueeze(0), y[:-1]))


def summed(parts: Sequence[Tensor], others: Sequence[Tensor | None]) -> Parts:
    return tuple(a if b is None else a + b for a, b in zip(parts, others, strict=True))


def step_back(step: Step, slopes: Parts, grad: Parts, weight: Tensor) -> tuple[Tensor, Tensor, Any]:
    """The gradients of x, of u, and of the parts of the state before, h by both of its ways."""
    grad_x, grad_u, (kept, *others) = step.retreat(slopes, *grad)
    grad_h = grad_u @ weight
    return grad_x, grad_u, (grad_h if kept is None else grad_h + kept, *others)


def gradients(ctx: Any, before: Tensor, grad_x: Tensor, grad_u: Tensor, grad_state: Tensor) -> Any:
    """Of x, state, weight and bias, those that are needed: u is an affine map of h."""
    need_x, need_state, need_weight, need_bias, *_ = ctx.needs_input_grad
    h = before[..., : ctx.saved_tensors[2].shape[1]]
    return (
        grad_x if need_x else None,
        grad_state if need_state else None,
        rows(grad_u).T @ rows(h) if need_weight else None,
        rows(grad_u).sum(0) if need_bias else None,
    )


def gradients_of_one(step: Step, ctx: Any, grad_y: Tensor) -> tuple[Tensor | None, ...]:
    """Of x, state, weight and bias, for one step."""
    x, state, weight, bias, y = ctx.saved_tensors
    slopes = slopes_of(step, x, state, weight, bias, y)
    grad_parts = grad_y.chunk(step.parts, -1)
    grad_x, grad_u, grad_state = step_back(step, slopes, grad_parts, weight)
    return gradients(ctx, state, grad_x, grad_u, joined(grad_state))


def gradients_of_all(step: Step, ctx: Any, grad_y: Tensor) -> tuple[Tensor | None, ...]:
    """Of x, state, weight and bias, back through time."""
    x, state, weight, bias, y = ctx.saved_tensors
    before = states_before(state, y)
    slopes = slopes_of(step, x, before, weight, bias, y)
    by_time = zip(*(slope.unbind(0) for slope in slopes), strict=True)
    later: Any = (None,) * step.parts
    grads_x, grads_u = [], []
    for slopes_t, grad_t in reversed(list(zip(by_time, grad_y.unbind(0), strict=True))):
        parts = summed(grad_t.chunk(step.parts, -1), later)
        grad_x, grad_u, later = step_back(step, slopes_t, parts, weight)
        grads_x.append(grad_x)
        grads_u.append(grad_u)
    grad_x, grad_u = (torch.stack(each[::-1]) for each in (grads_x, grads_u))
    return gradients(ctx, before, grad_x, grad_u, joined(later))


def affine_tangent(h: Tensor, dh: Tensor, weight: Tensor, dweight: Tensor, dbias: Any) -> Tensor:
    """du."""
    du = dh @ weight.T + h @ dweight.T
    return du if dbias is None else du + dbias


def tangent_of_one(
    step: Step, ctx: Any, dx: Tensor, dstate: Tensor, dweight: Tensor, dbias: Tensor | None
) -> Tensor:
    x, state, weight, bias, y = ctx.saved_tensors
    slopes = slopes_of(step, x, state, weight, bias, y)
    h, *_ = state.chunk(step.parts, -1)
    dparts = dstate.chunk(step.parts, -1)
    du = affine_tangent(h, dparts[0], weight, dweight, dbias)
    return joined(step.follow(slopes, dx, du, *dparts))


def tangent_of_all(
    step: Step, ctx: Any, dx: Tensor, dstate: Tensor, dweight: Tensor, dbias: Tensor | None
) -> Tensor:
    x, state, weight, bias, y = ctx.saved_tensors
    before = states_before(state, y)
    slopes = slopes_of(step, x, before, weight, bias, y)
    h, *_ = before.chunk(step.parts, -1)
    dparts = dstate.chunk(step.parts, -1)
    seen = []
    by_time = zip(*(slope.unbind(0) for slope in slopes), strict=True)
    for slopes_t, h_t, dx_t in zip(by_time, h.unbind(0), dx.unbind(0), strict=True):
        du = affine_tangent(h_t, dparts[0], weight, dweight, dbias)
        dparts = step.follow(slopes_t, dx_t, du, *dparts)
        seen.append(dparts)
    return joined([torch.stack(part) for part in zip(*seen, strict=True)])


class Recurrent(Op):
    """An op made of a cell's `step`, whose rules are these; of options after bias `step` is chosen.

    `OneStep` and `OverTime` say which rules they are, and a subclass of those gives `step`.
    """

    step: ClassVar[Step | Callable[..., Step]]
    ways: ClassVar[tuple[Callable[..., Any], ...]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if "step" in cls.__dict__:
            give_rules(cls, rules(cls.step, *cls.ways))  # but forward, where options have names
        super().__init_subclass__(**kwargs)


def rules(step, run, gradients, follow):
    """Those of a `Recurrent`: what runs it, its gradients, and its tangent."""

    def step_of(options):
        return step if isinstance(step, Step) else step(*options)

    def forward(x, state, weight, bias):
        return run(step, x, state, weight, bias)

    def setup_context(ctx, inputs, output):
        ctx.options = inputs[4:]
        save(ctx, *inputs[:4], output)

    def backward(ctx, grad_y):
        grads = gradients(step_of(ctx.options), ctx, grad_y)
        return *grads, *(None for _ in ctx.options)

    def tangent(ctx, dx, dstate, dweight, dbias, *_):
        return follow(step_of(ctx.options), ctx, dx, dstate, dweight, dbias)

    return {
        "forward": forward,
        "setup_context": setup_context,
        "backward": backward,
        "tangent": tangent,
    }


class OneStep(Recurrent):
    """y, the state after one step, of x and the state before it."""

    ways = advanced, gradients_of_one, tangent_of_one


class OverTime(Recurrent):
    """y_t, the states after every step, of every x_t and the state before the first."""

    ways = swept, gradients_of_all, tangent_of_all
