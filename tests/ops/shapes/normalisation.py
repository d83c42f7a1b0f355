"""Normalisations."""

import math

from hypothesis import strategies as st

from tests.ops.shapes.drawn import SHAPES, SIZES, Drawn, Fixed, Shape, broadcastable


@st.composite
def over_dims(draw: st.DrawFn, parameters: int) -> tuple[Shape | Fixed | None, ...]:
    """x, a weight and perhaps a bias or None, and the dimensions that are averaged over."""
    shape = draw(st.lists(SIZES, min_size=1, max_size=4).map(tuple))
    chosen = draw(st.sets(st.integers(0, len(shape) - 1), min_size=1))
    given = (draw(st.none() | broadcastable(shape)) for _ in range(parameters))
    return shape, *given, Fixed(tuple(chosen)), Fixed(0.1)


@st.composite
def fixed_standardisation(draw: st.DrawFn) -> tuple[Shape | Fixed | None, ...]:
    shape = draw(SHAPES)
    moments = (draw(broadcastable(shape)) for _ in range(2))
    parameters = (draw(st.none() | broadcastable(shape)) for _ in range(2))
    return shape, *moments, *parameters, Fixed(0.1)


@st.composite
def unit_norm(draw: st.DrawFn) -> tuple[Shape | Fixed, ...]:
    shape, dims, _ = draw(over_dims(0))
    p = draw(st.sampled_from((1.0, 1.5, 2.0, 3.0, math.inf)))
    if p == math.inf:
        shape = tuple(max(size, 1) for size in shape)  # of nothing there is no largest
    return shape, Fixed(p), dims, Fixed(0.1)


SHAPES_OF: dict[str, Drawn] = {
    "Standardisation": over_dims(2),
    "FixedStandardisation": fixed_standardisation(),
    "RMSNorm": over_dims(1),
    "UnitNorm": unit_norm(),
}
CHANCES = {"FixedStandardisation": (2,)}
DIFFERENCES = {"Standardisation", "UnitNorm"}
