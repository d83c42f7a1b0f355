"""Linear algebra: matrices that are far from singular, and more of them than one.

Random entries are near to singular now and then, and one row in the place of all others is.
"""

from collections.abc import Callable

from hypothesis import strategies as st
from torch import Tensor

from tests.ops.shapes.drawn import SIZES, Drawn, Fixed, Shape
from tests.random_inputs import seeded
from torchref.catalogue.linear_algebra import positive_definite, regular

SEEDS = st.integers(0, 10_000)


@st.composite
def matrices(draw: st.DrawFn, kind: Callable[..., Tensor]) -> tuple[Fixed]:
    size = draw(SIZES)
    batch = draw(st.lists(SIZES, max_size=2))
    x = kind(seeded(draw(SEEDS)), *batch, size, size)
    return (Fixed(x.mT if draw(st.booleans()) else x),)


@st.composite
def equation(draw: st.DrawFn) -> tuple[Fixed | Shape, ...]:
    size, others, left = draw(SIZES), draw(SIZES), draw(st.booleans())
    batch = draw(st.lists(SIZES, min_size=1, max_size=2))
    served = tuple(draw(st.sampled_from((1, length))) for length in batch)
    weight = regular(seeded(draw(SEEDS)), *served, size, size)
    x = (*batch, size, others) if left else (*batch, others, size)
    return Fixed(weight), x, Fixed(left)


def with_upper(drawn: tuple[Fixed]) -> st.SearchStrategy[tuple[Fixed, ...]]:
    return st.booleans().map(lambda upper: (*drawn, Fixed(upper)))


SHAPES_OF: dict[str, Drawn] = {
    "Inverse": matrices(regular),
    "Solve": equation(),
    "Cholesky": matrices(positive_definite).flatmap(with_upper),
    "LogDet": matrices(regular),
}
