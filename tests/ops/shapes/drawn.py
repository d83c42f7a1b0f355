"""What the shapes of every family are drawn from."""

from dataclasses import dataclass

from hypothesis import strategies as st

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Fixed:
    """An argument that is no tensor, as it is."""

    value: object


@dataclass(frozen=True)
class Indices:
    """A tensor of whole numbers from `least` on and below `end`."""

    shape: Shape
    end: int
    least: int = 0


Drawn = st.SearchStrategy[tuple["Shape | Fixed | Indices | int | None", ...]]
Options = st.SearchStrategy[tuple[object, ...]]

SIZES = st.integers(0, 5)
SHAPES = st.lists(SIZES, max_size=4).map(tuple)

ALONE = SHAPES.map(lambda shape: (shape,))
PAIR = SHAPES.map(lambda shape: (shape, shape))


@st.composite
def broadcastable(draw: st.DrawFn, shape: Shape) -> Shape:
    """A shape that broadcasts to the given one: fewer dimensions, some of them 1."""
    last = shape[draw(st.integers(0, len(shape))) :]
    return tuple(draw(st.sampled_from((1, size))) for size in last)


@st.composite
def with_weight(draw: st.DrawFn, *like: str) -> tuple[Shape | None, ...]:
    shape = draw(SHAPES)
    weight = draw(st.none() | broadcastable(shape))
    return (*(shape for _ in like), weight)
