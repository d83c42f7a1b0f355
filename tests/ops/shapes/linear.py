"""Maps that are linear in each argument."""

from hypothesis import strategies as st

from tests.ops.shapes.drawn import SIZES, Drawn, Shape, broadcastable


@st.composite
def affine(draw: st.DrawFn) -> tuple[Shape | None, ...]:
    leading, inputs, outputs = draw(st.lists(SIZES, max_size=3)), draw(SIZES), draw(SIZES)
    bias = (outputs,) if draw(st.booleans()) else None
    return (*leading, inputs), (outputs, inputs), bias


@st.composite
def homogeneous_affine(draw: st.DrawFn) -> tuple[Shape, ...]:
    leading, inputs, outputs = draw(st.lists(SIZES, max_size=3)), draw(SIZES), draw(SIZES)
    return (*leading, inputs), (outputs, inputs + 1)


@st.composite
def matmul(draw: st.DrawFn) -> tuple[Shape, ...]:
    """Two vectors or matrices, before which one batch or two stand that broadcast."""
    batch = draw(st.lists(SIZES, max_size=2).map(tuple))
    rows, inner, columns = draw(SIZES), draw(SIZES), draw(SIZES)
    left = (*draw(broadcastable(batch)), rows, inner) if draw(st.booleans()) else (inner,)
    right = (*batch, inner, columns) if draw(st.booleans()) else (inner,)
    return left, right


@st.composite
def bilinear(draw: st.DrawFn) -> tuple[Shape | None, ...]:
    """torch's own takes no empty features."""
    leading, outputs = draw(st.lists(SIZES, max_size=2)), draw(st.integers(1, 5))
    left, right = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    bias = (outputs,) if draw(st.booleans()) else None
    return (*leading, left), (*leading, right), (outputs, left, right), bias


SHAPES_OF: dict[str, Drawn] = {
    "Affine": affine(),
    "HomogeneousAffine": homogeneous_affine(),
    "MatMul": matmul(),
    "Bilinear": bilinear(),
}
