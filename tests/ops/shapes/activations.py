"""Activations and gated units."""

import math

from hypothesis import strategies as st

from tests.ops.shapes.drawn import ALONE, SHAPES, SIZES, Drawn, Options, Shape, broadcastable


@st.composite
def prelu(draw: st.DrawFn) -> tuple[Shape, ...]:
    shape = draw(SHAPES)
    return shape, draw(broadcastable(shape))


@st.composite
def gated_unit(draw: st.DrawFn) -> tuple[Shape | int, ...]:
    """A shape of even size in one dimension, and which that is."""
    shape = draw(st.lists(SIZES, min_size=1, max_size=4))
    dim = draw(st.integers(-len(shape), len(shape) - 1))
    shape[dim] *= 2
    return tuple(shape), dim


SHAPES_OF: dict[str, Drawn] = {
    "Sigmoid": ALONE,
    "Softplus": ALONE,
    "Tanh": ALONE,
    "LogSigmoid": ALONE,
    "SiLU": ALONE,
    "Mish": ALONE,
    "GELU": ALONE,
    "TanhGELU": ALONE,
    "ReLU": ALONE,
    "LeakyReLU": ALONE,
    "PReLU": prelu(),
    "ELU": ALONE,
    "SELU": ALONE,
    "Hardsigmoid": ALONE,
    "Hardswish": ALONE,
    "GLU": gated_unit(),
    "SwiGLU": gated_unit(),
    "GEGLU": gated_unit(),
}

OPTIONS: dict[str, Options] = {
    "Softplus": st.sampled_from(((1.0, math.inf), (1.0, 20.0), (2.0, 1.0), (-1.0, 3.0))),
    "LeakyReLU": st.sampled_from(((0.01,), (0.0,), (-0.5,))),
    "ELU": st.sampled_from(((1.0,), (0.5,), (-2.0,))),
}
