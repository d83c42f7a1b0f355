"""Recurrent cells, and their sweeps through one time or more; linear recurrences and sums."""

from hypothesis import strategies as st

from tests.ops.shapes.drawn import SHAPES, SIZES, Drawn, Fixed, Options, Shape


@st.composite
def recurrent(
    draw: st.DrawFn, gates: int, parts: int, times: st.SearchStrategy[int] | None = None
) -> tuple[Shape | None, ...]:
    leading, hidden = draw(st.lists(SIZES, max_size=1)), draw(st.integers(1, 3))
    time = [] if times is None else [draw(times)]
    bias = (gates * hidden,) if draw(st.booleans()) else None
    x, state = (*time, *leading, gates * hidden), (*leading, parts * hidden)
    return x, state, (gates * hidden, hidden), bias


@st.composite
def along_a_dimension(draw: st.DrawFn) -> tuple[Shape, int]:
    shape = draw(SHAPES.filter(len))
    return shape, draw(st.integers(-len(shape), len(shape) - 1))


@st.composite
def linear_recurrence(draw: st.DrawFn) -> tuple[Shape | Fixed | None, ...]:
    shape, dim = draw(along_a_dimension())
    without = tuple(size for at, size in enumerate(shape) if at != dim % len(shape))
    state = without if draw(st.booleans()) else None
    return shape, shape, state, Fixed(dim), Fixed(draw(st.booleans()))


TIMES = st.integers(1, 3)
BOTH: Options = st.sampled_from((("tanh",), ("relu",)))

SHAPES_OF: dict[str, Drawn] = {
    "RNNCell": recurrent(1, 1),
    "LSTMCell": recurrent(4, 2),
    "GRUCell": recurrent(3, 1),
    "RNN": recurrent(1, 1, TIMES),
    "LSTM": recurrent(4, 2, TIMES),
    "GRU": recurrent(3, 1, TIMES),
    "LinearRecurrence": linear_recurrence(),
    "CumulativeSum": along_a_dimension(),
}
OPTIONS: dict[str, Options] = {"RNNCell": BOTH, "RNN": BOTH}
DIFFERENCES = {"RNNCell", "LSTMCell", "GRUCell", "RNN", "LSTM", "GRU"}  # of a tanh g − g y²
