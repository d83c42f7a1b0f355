"""The softmax, its relatives and the cross-entropies."""

from hypothesis import strategies as st

from tests.ops.shapes.drawn import SIZES, Drawn, Fixed, Indices, Shape

ROWS = st.tuples(st.lists(SIZES, max_size=3), st.integers(1, 5)).map(lambda s: (*s[0], s[1]))


@st.composite
def along_a_dim(draw: st.DrawFn) -> tuple[Shape | Fixed, ...]:
    shape = draw(st.lists(SIZES, min_size=1, max_size=4).map(tuple))
    return shape, Fixed(draw(st.integers(-len(shape), len(shape) - 1)))


@st.composite
def along_dims(draw: st.DrawFn) -> tuple[Shape | Fixed, ...]:
    shape = draw(st.lists(SIZES, min_size=1, max_size=4).map(tuple))
    return shape, Fixed(tuple(draw(st.sets(st.integers(0, len(shape) - 1), min_size=1))))


@st.composite
def class_numbers(draw: st.DrawFn) -> tuple[Shape | Indices | None, ...]:
    """Rows, the number of a class for each, and a weight for each class or None."""
    shape = draw(ROWS)
    weight = draw(st.none() | st.just(shape[-1:]))
    return shape, Indices(shape[:-1], shape[-1]), weight


@st.composite
def linear_cross_entropy(draw: st.DrawFn) -> tuple[Shape | Indices | None, ...]:
    examples, features, classes = draw(SIZES), draw(SIZES), draw(st.integers(1, 5))
    bias, class_weight = (draw(st.none() | st.just((classes,))) for _ in range(2))
    number = Indices((examples,), classes)
    return (examples, features), (classes, features), bias, number, class_weight


IGNORED = st.sampled_from((-100, 0, 1))
SMOOTHED = st.sampled_from((0.0, 0.1, 1.0))

SHAPES_OF: dict[str, Drawn] = {
    "Softmax": along_a_dim(),
    "LogSoftmax": along_a_dim(),
    "LogSumExp": along_dims(),
    "Sparsemax": along_a_dim(),
    "SoftmaxCrossEntropy": ROWS.map(lambda shape: (shape, shape)),
    "NLL": class_numbers(),
    "IndexCrossEntropy": class_numbers(),
    "LinearCrossEntropy": linear_cross_entropy(),
}
CHANCES = {"SoftmaxCrossEntropy": (1,), "NLL": (2,), "IndexCrossEntropy": (2,)}
CHANCES |= {"LinearCrossEntropy": (4,)}
OPTIONS = {
    "NLL": st.tuples(IGNORED),
    "IndexCrossEntropy": st.tuples(IGNORED, SMOOTHED),
    "LinearCrossEntropy": st.tuples(IGNORED, SMOOTHED, st.integers(1, 3)),
}
DIFFERENCES = {"Softmax", "LogSoftmax", "Sparsemax", "SoftmaxCrossEntropy", "IndexCrossEntropy"}
DIFFERENCES |= {"LinearCrossEntropy"}
