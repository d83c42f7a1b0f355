"""A linear recurrence, step by step or all steps at once in a logarithmic number of passes."""

import torch
from torch import Tensor

from torchref.ops.op import RoundedOnce, save


def one_by_one(x: Tensor, weight: Tensor, y: Tensor | None) -> Tensor:
    """Along the first dimension, from y_0 on, or from 0."""
    seen = []
    for x_t, weight_t in zip(x.unbind(0), weight.unbind(0), strict=True):
        y = x_t if y is None else weight_t * y + x_t
        seen.append(y)
    return torch.stack(seen) if seen else x.clone()


def by_doubling(x: Tensor, weight: Tensor, state: Tensor | None) -> Tensor:
    """The same: after a pass of reach k each y_t is right if it began no more than 2 k ago.

    y_t = a_t y_{t−1} + x_t is an affine map of y_{t−1}, and so is what k of them make of y_{t−k}:
    two neighbours (a, x) then (a′, x′) make (a′ a, a′ x + x′).
    """
    if state is not None and len(x):
        x = torch.cat((x[:1] + weight[:1] * state, x[1:]))
    y, reach = x.clone(), 1
    while reach < len(y):
        y = torch.cat((y[:reach], y[reach:] + weight[reach:] * y[:-reach]))
        weight = torch.cat((weight[:reach], weight[reach:] * weight[:-reach]))
        reach *= 2
    return y


def states_before(y: Tensor, state: Tensor | None, dim: int) -> Tensor:
    """y_0 to y_{T−1}; without a state y_0 is 0."""
    begin = torch.zeros_like(y.narrow(dim, 0, min(1, y.shape[dim])))
    if state is not None and y.shape[dim]:
        begin = state.unsqueeze(dim)
    return torch.cat((begin, y.narrow(dim, 0, max(0, y.shape[dim] - 1))), dim)


class LinearRecurrence(RoundedOnce):
    r"""y_t = a_t y_{t−1} + x_t along dim, with a the weight and y_0 the state, or 0 without one.

    Derivation: y_t reaches the loss by itself and by y_{t+1}. By both ways its gradient is
        g_t = ∂L/∂y_t + a_{t+1} g_{t+1}:
    the same recurrence from the other end, with every weight one step earlier. From there
    ∂L/∂x_t = g_t, ∂L/∂a_t = g_t y_{t−1} and ∂L/∂y_0 = a_1 g_1.
    `parallel` computes it by doubling, in about log₂ T passes over all of x where the loop takes T
    steps of one; its products of many weights overflow sooner where weights are above 1.
    Shapes: x, weight and y alike; state without dim, or None.
    Saves weight, state and y.
    Source: Blelloch 1990, "Prefix Sums and Their Applications"; Hillis and Steele 1986.

    >>> x, weight = torch.tensor([1.0, 0.0, 4.0]), torch.tensor([0.0, 0.5, 0.5])
    >>> LinearRecurrence.call(x, weight, None, 0, False)
    tensor([1.0000, 0.5000, 4.2500])
    """

    @staticmethod
    def forward(x, weight, state, dim, parallel):
        scan = by_doubling if parallel else one_by_one
        return scan(x.movedim(dim, 0), weight.movedim(dim, 0), state).movedim(0, dim)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _, weight, state, ctx.dim, ctx.parallel = inputs
        save(ctx, weight, state, output)

    @staticmethod
    def backward(ctx, grad_y):
        weight, state, y = ctx.saved_tensors
        need_x, need_weight, need_state, *_ = ctx.needs_input_grad
        later = weight.roll(-1, ctx.dim).flip(ctx.dim)
        g = LinearRecurrence.call(grad_y.flip(ctx.dim), later, None, ctx.dim, ctx.parallel)
        g = g.flip(ctx.dim)
        grad_weight = g * states_before(y, state, ctx.dim) if need_weight else None
        grad_state = None
        if need_state:
            first = (0, min(1, y.shape[ctx.dim]))
            grad_state = (weight.narrow(ctx.dim, *first) * g.narrow(ctx.dim, *first)).sum(ctx.dim)
        return g if need_x else None, grad_weight, grad_state, None, None  # dim, parallel

    @staticmethod
    def tangent(ctx, dx, dweight, dstate, _dim, _parallel):
        weight, state, y = ctx.saved_tensors
        forced = dx + dweight * states_before(y, state, ctx.dim)
        return LinearRecurrence.call(forced, weight, dstate, ctx.dim, ctx.parallel)
