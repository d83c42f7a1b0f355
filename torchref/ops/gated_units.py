"""Gated units: one half of x is a value, and the other decides how much of it passes.

y = a f(b) for the halves x = [a, b] along a dimension. The gate is b, the second half, as in
`torch.nn.functional.glu`. What the ops share is

    ∂L/∂a = ∂L/∂y f(b),  ∂L/∂b = ∂L/∂y a f′(b),  dy = da f(b) + a f′(b) db,

with the differential f′(b) db of the activation f.
"""

import torch

from torchref.ops.activations import Sigmoid
from torchref.ops.op import Op, save
from torchref.ops.self_gated import GELU, SiLU


def save_x_and_dim(ctx, inputs, output):  # noqa: ARG001
    x, ctx.dim = inputs
    save(ctx, x)


def gradient(ctx, grad_y, activation, differential):
    """∂L/∂x: that of the value, and beside it that of the gate."""
    (x,) = ctx.saved_tensors
    a, b = x.chunk(2, ctx.dim)
    return torch.cat((grad_y * activation(b), differential(grad_y * a, b)), ctx.dim)


def change(ctx, dx, activation, differential):
    """dy, the tangent."""
    (x,) = ctx.saved_tensors
    (a, b), (da, db) = x.chunk(2, ctx.dim), dx.chunk(2, ctx.dim)
    return da * activation(b) + differential(a * db, b)


class GLU(Op):
    r"""y = a σ(b) for the halves x = [a, b] along dim.

    Derivation: by the product rule, above, with σ′(b) = σ(b) σ(−b), which has digits where
    1 − σ(b) is 0.
    Shapes: x of even size along dim, y of half that size.
    Saves x.
    Source: Dauphin et al. 2016, "Language Modeling with Gated Convolutional Networks".

    >>> GLU.call(torch.tensor([1.0, 2.0, 0.0, 1e4]), -1)
    tensor([0.5000, 2.0000])
    """

    @staticmethod
    def forward(x, dim):
        a, b = x.chunk(2, dim)
        return a * torch.sigmoid(b)

    setup_context = staticmethod(save_x_and_dim)

    @staticmethod
    def backward(ctx, grad_y):
        return gradient(ctx, grad_y, Sigmoid.call, sigmoid_differential), None

    @staticmethod
    def tangent(ctx, dx, _):
        return change(ctx, dx, Sigmoid.call, sigmoid_differential)


def sigmoid_differential(db, b):
    """σ′(b) db, in b and not in σ(b)."""
    return db * (Sigmoid.call(b) * Sigmoid.call(-b))


class SwiGLU(Op):
    r"""y = a b σ(b) for the halves x = [a, b] along dim: the gate is a SiLU.

    Derivation: by the product rule, above, with the differential of `SiLU`.
    Shapes: x of even size along dim, y of half that size.
    Saves x.
    Source: Shazeer 2020, "GLU Variants Improve Transformer".

    >>> SwiGLU.call(torch.tensor([1.0, 2.0, 0.0, 10.0]), -1)
    tensor([ 0.0000, 19.9991])
    """

    @staticmethod
    def forward(x, dim):
        a, b = x.chunk(2, dim)
        return a * SiLU.forward(b)

    setup_context = staticmethod(save_x_and_dim)

    @staticmethod
    def backward(ctx, grad_y):
        return gradient(ctx, grad_y, SiLU.call, SiLU.differential), None

    @staticmethod
    def tangent(ctx, dx, _):
        return change(ctx, dx, SiLU.call, SiLU.differential)


class GEGLU(Op):
    r"""y = a b Φ(b) for the halves x = [a, b] along dim: the gate is a GELU.

    Derivation: by the product rule, above, with the differential of `GELU`.
    Shapes: x of even size along dim, y of half that size.
    Saves x.
    Source: Shazeer 2020, "GLU Variants Improve Transformer".

    >>> GEGLU.call(torch.tensor([1.0, 2.0, 0.0, 10.0]), -1)
    tensor([ 0., 20.])
    """

    @staticmethod
    def forward(x, dim):
        a, b = x.chunk(2, dim)
        return a * GELU.forward(b)

    setup_context = staticmethod(save_x_and_dim)

    @staticmethod
    def backward(ctx, grad_y):
        return gradient(ctx, grad_y, GELU.call, GELU.differential), None

    @staticmethod
    def tangent(ctx, dx, _):
        return change(ctx, dx, GELU.call, GELU.differential)
