"""Gated units: one half of x is a value, and the other decides how much of it passes.

y = a f(b) for the halves x = [a, b] along a dimension. The gate is b, the second half, as in
`torch.nn.functional.glu`. What the ops share is

    ∂L/∂a = ∂L/∂y f(b),  ∂L/∂b = ∂L/∂y a f′(b),  dy = da f(b) + a f′(b) db,

with the differential f′(b) db of the activation f.
"""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import torch

from torchref.ops.activations.self_gated import GELU, SiLU
from torchref.ops.activations.sigmoid import Sigmoid
from torchref.ops.op import RoundedOnce, give_rules, save


class Gate(NamedTuple):
    """The activation f, as a forward has it and to be differentiated again, and f′(b) db.

    They are functions: Dynamo calls no op by a class or a method that it finds in a closure.
    """

    forward: Callable[..., Any]
    call: Callable[..., Any]
    differential: Callable[..., Any]


class Gated(RoundedOnce):
    """y = a f(b) for the halves of x: a subclass gives its `gate`."""

    gate: ClassVar[Gate]

    def __init_subclass__(cls, **kwargs):
        if "gate" in cls.__dict__:
            give_rules(cls, rules(*cls.gate))
        super().__init_subclass__(**kwargs)

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, ctx.dim = inputs
        save(ctx, x)


def rules(plain, activation, differential):
    """The forward, the backward and the tangent of an op with this gate."""

    def forward(x, dim):
        a, b = x.chunk(2, dim)
        return a * plain(b)

    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        a, b = x.chunk(2, ctx.dim)
        return torch.cat((grad_y * activation(b), differential(grad_y * a, b)), ctx.dim), None

    def tangent(ctx, dx, _):
        (x,) = ctx.saved_tensors
        (a, b), (da, db) = x.chunk(2, ctx.dim), dx.chunk(2, ctx.dim)
        return da * activation(b) + differential(a * db, b)

    return {"forward": forward, "backward": backward, "tangent": tangent}


def sigmoid_differential(db, b):
    """σ′(b) db, in b and not in σ(b)."""
    return db * (Sigmoid.call(b) * Sigmoid.call(-b))


class GLU(Gated):
    r"""y = a σ(b) for the halves x = [a, b] along dim.

    Derivation: by the product rule, above, with σ′(b) = σ(b) σ(−b), which has digits where
    1 − σ(b) is 0.
    Shapes: x of even size along dim, y of half that size.
    Saves x.
    Source: Dauphin et al. 2016, "Language Modeling with Gated Convolutional Networks".

    >>> GLU.call(torch.tensor([1.0, 2.0, 0.0, 1e4]), -1)
    tensor([0.5000, 2.0000])
    """

    gate = Gate(Sigmoid.forward, lambda b: Sigmoid.call(b), sigmoid_differential)


class SwiGLU(Gated):
    r"""y = a b σ(b) for the halves x = [a, b] along dim: the gate is a SiLU.

    Derivation: by the product rule, above, with the differential of `SiLU`.
    Shapes: x of even size along dim, y of half that size.
    Saves x.
    Source: Shazeer 2020, "GLU Variants Improve Transformer".

    >>> SwiGLU.call(torch.tensor([1.0, 2.0, 0.0, 10.0]), -1)
    tensor([ 0.0000, 19.9991])
    """

    gate = Gate(SiLU.forward, lambda b: SiLU.call(b), SiLU.differential)


class GEGLU(Gated):
    r"""y = a b Φ(b) for the halves x = [a, b] along dim: the gate is a GELU.

    Derivation: by the product rule, above, with the differential of `GELU`.
    Shapes: x of even size along dim, y of half that size.
    Saves x.
    Source: Shazeer 2020, "GLU Variants Improve Transformer".

    >>> GEGLU.call(torch.tensor([1.0, 2.0, 0.0, 10.0]), -1)
    tensor([ 0., 20.])
    """

    gate = Gate(GELU.forward, lambda b: GELU.call(b), GELU.differential)
