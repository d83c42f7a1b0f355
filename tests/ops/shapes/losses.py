"""Losses, and their reduction."""

from hypothesis import strategies as st

from tests.ops.shapes.drawn import PAIR, SHAPES, Drawn, Indices, Options, Shape, with_weight
from tests.ops.shapes.softmax import class_numbers
from torchref.ops import REDUCTIONS


def labels(shape: Shape) -> Indices:
    """−1, 0 and 1."""
    return Indices(shape, 2, least=-1)


# Vectors of one entry are parallel: their gradient is nothing but rounding.
VECTORS = st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(2, 5))

SHAPES_OF: dict[str, Drawn] = {
    "LogLoss": PAIR,
    "LogLossWithLogits": with_weight("x", "target"),
    "SquaredError": PAIR,
    "AbsoluteError": PAIR,
    "HuberError": PAIR,
    "SmoothAbsoluteError": PAIR,
    "KLDivergence": PAIR,
    "HingeEmbedding": SHAPES.map(lambda shape: (shape, labels(shape))),
    "MarginRanking": SHAPES.map(lambda shape: (shape, shape, shape)),
    "MultiMargin": class_numbers(),
    "CosineEmbedding": VECTORS.map(lambda shape: (shape, shape, labels(shape[:-1]))),
    "Reduction": with_weight("x"),
}
CHANCES = {
    "LogLoss": (0, 1),
    "LogLossWithLogits": (1, 2),
    "KLDivergence": (1,),
    "MultiMargin": (2,),
}
MARGINS = st.sampled_from((0.0, 0.5, 1.0))
OPTIONS: dict[str, Options] = {
    "HuberError": st.tuples(st.sampled_from((0.3, 1.0))),
    "SmoothAbsoluteError": st.tuples(st.sampled_from((0.0, 0.3, 1.0))),
    "KLDivergence": st.tuples(st.booleans()),
    "HingeEmbedding": st.tuples(MARGINS),
    "MarginRanking": st.tuples(MARGINS),
    "MultiMargin": st.tuples(st.sampled_from((1, 2)), MARGINS),
    "CosineEmbedding": st.tuples(MARGINS),
    "Reduction": st.sampled_from(REDUCTIONS).map(lambda reduction: (reduction,)),
}
DIFFERENCES = {"CosineEmbedding"}
