"""Attention and rotary embedding."""

from hypothesis import strategies as st

from tests.ops.shapes.drawn import SIZES, Drawn, Fixed, Options, Shape, broadcastable


@st.composite
def attention(draw: st.DrawFn) -> tuple[Shape | Fixed | None, ...]:
    """Batches that broadcast, lengths and features, and perhaps a mask."""
    batch = draw(st.lists(SIZES, max_size=2).map(tuple))
    queries, keys, features, outputs = (draw(SIZES) for _ in range(4))
    matrices = (queries, features), (keys, features), (keys, outputs)
    shapes = [(*draw(broadcastable(batch)), *matrix) for matrix in matrices]
    mask = tuple(draw(st.sampled_from((1, size))) for size in (queries, keys))
    shown = (*draw(broadcastable(batch)), *mask) if draw(st.booleans()) else None
    options = Fixed(None), Fixed(0.5), Fixed(draw(st.booleans())), Fixed(0.0)
    return *shapes, shown, *options


@st.composite
def rotary(draw: st.DrawFn) -> tuple[Shape | Fixed, ...]:
    leading, pairs, rest = draw(st.lists(SIZES, max_size=3)), draw(SIZES), draw(SIZES)
    angles = (*draw(broadcastable(tuple(leading))), pairs)
    return (*leading, 2 * pairs + rest), angles, angles, Fixed(draw(st.booleans()))


SHAPES_OF: dict[str, Drawn] = {
    "Attention": attention(),
    "BlockwiseAttention": attention(),
    "Rotary": rotary(),
}
OPTIONS: dict[str, Options] = {"BlockwiseAttention": st.sampled_from(((2,), (3,), (8,)))}
DIFFERENCES = {"Attention", "BlockwiseAttention"}
