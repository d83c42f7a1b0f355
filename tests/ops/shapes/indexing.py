"""What is taken by an index or left by a mask: these are drawn whole."""

import torch
from hypothesis import strategies as st

from tests.ops.shapes.drawn import SHAPES, SIZES, Drawn, Fixed, Shape, broadcastable
from tests.random_inputs import seeded

SOME_SIZES = st.lists(st.integers(1, 4), min_size=1, max_size=3)


def below(draw: st.DrawFn, size: int, *shape: int) -> Fixed:
    generator = seeded(draw(st.integers(0, 10_000)))
    return Fixed(torch.randint(size, shape, generator=generator))


@st.composite
def entries(draw: st.DrawFn, with_src: bool) -> tuple[Shape | Fixed, ...]:
    """An index that along dim has any size, and along the others at most that of x."""
    shape = draw(SOME_SIZES)
    dim = draw(st.integers(-len(shape), len(shape) - 1))
    taken = [draw(st.integers(0, size)) for size in shape]
    taken[dim] = draw(SIZES)
    src = (tuple(size + draw(st.integers(0, 1)) for size in taken),) if with_src else ()
    return tuple(shape), below(draw, shape[dim], *taken), *src, Fixed(dim)


@st.composite
def slices(draw: st.DrawFn, with_source: bool) -> tuple[Shape | Fixed, ...]:
    shape = draw(SOME_SIZES)
    dim = draw(st.integers(-len(shape), len(shape) - 1))
    count = draw(SIZES)
    source = list(shape)
    source[dim] = count
    index = below(draw, shape[dim], count)
    if not with_source:
        return tuple(shape), index, Fixed(dim)
    return tuple(shape), index, tuple(source), Fixed(dim), Fixed(draw(st.sampled_from((1, -0.5))))


@st.composite
def embedding(draw: st.DrawFn) -> tuple[Shape | Fixed, ...]:
    entries, width = draw(st.integers(1, 5)), draw(SIZES)
    index = below(draw, entries, *draw(st.lists(SIZES, max_size=2)))
    padding = draw(st.none() | st.integers(0, entries - 1))
    return (entries, width), index, Fixed(padding), Fixed(draw(st.booleans()))


@st.composite
def dropout(draw: st.DrawFn) -> tuple[Shape | Fixed, ...]:
    shape = draw(SHAPES)
    generator = seeded(draw(st.integers(0, 10_000)))
    mask = torch.rand(draw(broadcastable(shape)), generator=generator) < 0.6
    return shape, Fixed(mask), Fixed(draw(st.sampled_from((0.0, 0.1, 0.5))))


SHAPES_OF: dict[str, Drawn] = {
    "Gather": entries(False),
    "ScatterAdd": entries(True),
    "IndexSelect": slices(False),
    "IndexAdd": slices(True),
    "Embedding": embedding(),
    "Dropout": dropout(),
}
