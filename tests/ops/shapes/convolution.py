"""Convolutions, the transposed ones, and pooling."""

from hypothesis import strategies as st

from tests.ops.shapes.drawn import Drawn, Fixed, Shape

NUMBER = st.integers(1, 3)
FEW = st.integers(0, 2)


@st.composite
def convolution(draw: st.DrawFn, transposed: bool) -> tuple[Shape | Fixed | None, ...]:
    """One or two dimensions, which have their own kernel, stride, padding and dilation each."""
    rank = draw(st.integers(1, 2))
    groups, inputs, outputs = draw(st.integers(1, 2)), draw(NUMBER), draw(NUMBER)
    kernel, stride, dilation = (draw(st.tuples(*[NUMBER] * rank)) for _ in range(3))
    padding = draw(st.tuples(*[FEW] * rank))
    within = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    length = tuple(reach + draw(FEW) for reach in within)
    options = [Fixed(each) for each in (stride, padding, dilation, groups)]
    channels = (groups * inputs, outputs) if transposed else (groups * outputs, inputs)
    bias = (groups * outputs,) if draw(st.booleans()) else None
    if transposed:
        largest = [max(s, d) - 1 for s, d in zip(stride, dilation, strict=True)]
        options.append(Fixed(tuple(draw(st.integers(0, most)) for most in largest)))
        length = tuple(size + 2 * p for size, p in zip(length, padding, strict=True))
    return (draw(FEW), groups * inputs, *length), (*channels, *kernel), bias, *options


@st.composite
def pooled(draw: st.DrawFn, largest: bool) -> tuple[Shape | Fixed, ...]:
    """At most half of a window is padding, and no window takes nothing but padding."""
    rank = draw(st.integers(1, 2))
    kernel, stride = (draw(st.tuples(*[NUMBER] * rank)) for _ in range(2))
    padding = tuple(draw(st.integers(0, size // 2)) for size in kernel)
    dilation = draw(st.tuples(*[FEW] * rank)) if largest else (0,) * rank
    dilation = tuple(1 + more for more in dilation)
    length = tuple(d * (k - 1) + 1 + draw(FEW) for k, d in zip(kernel, dilation, strict=True))
    shape = (*draw(st.lists(FEW, min_size=0, max_size=1)), draw(NUMBER), *length)
    options = kernel, stride, padding, *((dilation,) if largest else ()), draw(st.booleans())
    if not largest:
        divisor = draw(st.none() | st.integers(1, 4)) if rank == 2 else None
        options = *options, draw(st.booleans()), divisor
    return shape, *map(Fixed, options)


@st.composite
def adaptive(draw: st.DrawFn) -> tuple[Shape | Fixed, ...]:
    lengths = draw(st.lists(st.integers(1, 5), min_size=1, max_size=2))
    wanted = tuple(draw(st.integers(1, 4)) for _ in lengths)
    return (*draw(st.lists(FEW, min_size=0, max_size=1)), draw(NUMBER), *lengths), Fixed(wanted)


SHAPES_OF: dict[str, Drawn] = {
    "Convolution": convolution(False),
    "TransposedConv": convolution(True),
    "AvgPool": pooled(False),
    "MaxPool": pooled(True),
    "AdaptiveAvgPool": adaptive(),
    "AdaptiveMaxPool": adaptive(),
}
