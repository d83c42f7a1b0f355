"""Rotary position embedding: pairs of features turned by an angle that grows with the position."""

import torch
from torch import Tensor

from torchref.ops.op import RoundedOnce, save


def halves(x: Tensor, pairs: int, is_interleaved: bool) -> tuple[Tensor, Tensor, Tensor]:
    """The first and the second entries of the pairs, and what is left over after them."""
    left_over = x.shape[-1] - 2 * pairs
    if is_interleaved:
        turned, rest = x.split((2 * pairs, left_over), -1)
        return turned[..., ::2], turned[..., 1::2], rest
    return x.split((pairs, pairs, left_over), -1)


def joined(first: Tensor, second: Tensor, rest: Tensor, is_interleaved: bool) -> Tensor:
    """`halves` undone."""
    if is_interleaved:
        pairs = torch.stack((first, second), -1)
        turned = pairs.reshape(*first.shape[:-1], 2 * first.shape[-1])
    else:
        turned = torch.cat((first, second), -1)
    return torch.cat((turned, rest), -1) if rest.shape[-1] else turned


def rotated(x: Tensor, cos: Tensor, sin: Tensor, is_interleaved: bool) -> Tensor:
    """Each pair (a, b) as (a cos − b sin, a sin + b cos)."""
    a, b, rest = halves(x, cos.shape[-1], is_interleaved)
    return joined(a * cos - b * sin, a * sin + b * cos, rest, is_interleaved)


class Rotary(RoundedOnce):
    r"""y = R x: the pairs (a, b) of features turned to (a cos θ − b sin θ, a sin θ + b cos θ).

    Derivation: R is linear in x and a rotation, so that its transpose is the rotation by −θ: with
    (g, h) = ∂L/∂y of a pair,
        ∂L/∂(a, b) = (g cos θ + h sin θ, h cos θ − g sin θ),
        ∂L/∂cos θ = Σ (g a + h b),  ∂L/∂sin θ = Σ (h a − g b),
    the sums over what one angle has turned. Nothing of this asks cos² + sin² = 1.
    Shapes: x and y alike, (..., E); cos and sin alike, (..., R) with 2 R ≤ E, broadcastable to the
    x of the pairs. Pair r is of the features r and R + r, or, interleaved, of 2r and 2r + 1; what
    follows the first 2 R features stays as it is.
    Saves x, cos and sin.
    Source: Su et al. 2021, equation 34 (interleaved); the halves are those of GPT-NeoX and Llama.

    >>> Rotary.call(torch.tensor([[1.0, 2.0, 5.0]]), torch.zeros(1, 1), torch.ones(1, 1), False)
    tensor([[-2.,  1.,  5.]])
    """

    @staticmethod
    def forward(x, cos, sin, is_interleaved):
        return rotated(x, cos, sin, is_interleaved)

    @staticmethod
    def setup_context(ctx, inputs, output):
        *tensors, ctx.is_interleaved = inputs
        save(ctx, *tensors)

    @staticmethod
    def backward(ctx, grad_y):
        x, cos, sin = ctx.saved_tensors
        need_x, need_cos, need_sin, _ = ctx.needs_input_grad
        grad_x = grad_cos = grad_sin = None
        if need_x:
            grad_x = rotated(grad_y, cos, -sin, ctx.is_interleaved)
        if need_cos or need_sin:
            a, b, _ = halves(x, cos.shape[-1], ctx.is_interleaved)
            g, h, _ = halves(grad_y, cos.shape[-1], ctx.is_interleaved)
        if need_cos:
            grad_cos = (g * a + h * b).sum_to_size(cos.shape)
        if need_sin:
            grad_sin = (h * a - g * b).sum_to_size(sin.shape)
        return grad_x, grad_cos, grad_sin, None  # is_interleaved

    @staticmethod
    def tangent(ctx, dx, dcos, dsin, _):
        x, cos, sin = ctx.saved_tensors
        a, b, rest = halves(x, cos.shape[-1], ctx.is_interleaved)
        turned = a * dcos - b * dsin, a * dsin + b * dcos
        by_angle = joined(*turned, torch.zeros_like(rest), ctx.is_interleaved)
        return rotated(dx, cos, sin, ctx.is_interleaved) + by_angle
