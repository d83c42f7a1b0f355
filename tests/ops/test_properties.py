"""Every op equals its twin for any shape, dtype and memory layout that hypothesis thinks of."""

import math
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ops.catalogue_cases import on_each, tensors
from tests.ops.closeness import assert_all_close, assert_close_in_float64
from tests.ops.memory_layouts import LAYOUTS
from tests.ops.test_low_precision import assert_low_precision_is_as_good
from tests.random_inputs import seeded
from torchref.catalogue import CATALOGUE, Inputs
from torchref.catalogue.entry import chance, normal
from torchref.ops import REDUCTIONS

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Fixed:
    """An argument that is no tensor, as it is."""

    value: object


SIZES = st.integers(0, 5)
SHAPES = st.lists(SIZES, max_size=4).map(tuple)


@st.composite
def broadcastable(draw: st.DrawFn, shape: Shape) -> Shape:
    """A shape that broadcasts to the given one: fewer dimensions, some of them 1."""
    last = shape[draw(st.integers(0, len(shape))) :]
    return tuple(draw(st.sampled_from((1, size))) for size in last)


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
def with_weight(draw: st.DrawFn, *like: str) -> tuple[Shape | None, ...]:
    shape = draw(SHAPES)
    weight = draw(st.none() | broadcastable(shape))
    return (*(shape for _ in like), weight)


@st.composite
def prelu(draw: st.DrawFn) -> tuple[Shape, ...]:
    shape = draw(SHAPES)
    return shape, draw(broadcastable(shape))


@st.composite
def gated_unit(draw: st.DrawFn) -> tuple[Shape | int, ...]:
    """A shape of even size in one dimension, and which that is."""
    shape = draw(st.lists(SIZES, min_size=1, max_size=4))
    dim = draw(st.integers(-len(shape), len(shape) - 1))
    shape[dim] *= 2
    return tuple(shape), dim


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


ALONE = SHAPES.map(lambda shape: (shape,))
PAIR = SHAPES.map(lambda shape: (shape, shape))

ROWS = st.tuples(st.lists(SIZES, max_size=3), st.integers(1, 5)).map(lambda s: (*s[0], s[1]))
ROW_PAIR = ROWS.map(lambda shape: (shape, shape))

SHAPES_OF: dict[str, st.SearchStrategy[tuple[Shape | Fixed | int | None, ...]]] = {
    "Affine": affine(),
    "HomogeneousAffine": homogeneous_affine(),
    "Sigmoid": ALONE,
    "Softplus": ALONE,
    "Tanh": ALONE,
    "LogSigmoid": ALONE,
    "SiLU": ALONE,
    "Mish": ALONE,
    "GELU": ALONE,
    "TanhGELU": ALONE,
    "ReLU": ALONE,
    "LeakyReLU": ALONE,
    "PReLU": prelu(),
    "ELU": ALONE,
    "SELU": ALONE,
    "Hardsigmoid": ALONE,
    "Hardswish": ALONE,
    "GLU": gated_unit(),
    "SwiGLU": gated_unit(),
    "GEGLU": gated_unit(),
    "LogLoss": PAIR,
    "LogLossWithLogits": with_weight("x", "target"),
    "Softmax": ROWS.map(lambda shape: (shape,)),
    "LogSoftmax": ROWS.map(lambda shape: (shape,)),
    "SoftmaxCrossEntropy": ROW_PAIR,
    "SquaredError": PAIR,
    "Standardisation": over_dims(2),
    "FixedStandardisation": fixed_standardisation(),
    "RMSNorm": over_dims(1),
    "UnitNorm": unit_norm(),
    "Reduction": with_weight("x"),
}
CHANCES = {  # which arguments lie in [0, 1]
    "LogLoss": (0, 1),
    "LogLossWithLogits": (1, 2),
    "SoftmaxCrossEntropy": (1,),
    "FixedStandardisation": (2,),
}

OPTIONS = {  # what follows the tensors
    "Softplus": st.sampled_from(((1.0, math.inf), (1.0, 20.0), (2.0, 1.0), (-1.0, 3.0))),
    "LeakyReLU": st.sampled_from(((0.01,), (0.0,), (-0.5,))),
    "ELU": st.sampled_from(((1.0,), (0.5,), (-2.0,))),
    "Reduction": st.sampled_from(REDUCTIONS).map(lambda reduction: (reduction,)),
}

# Every entry of their gradients is a difference of shares of the cotangent.
DIFFERENCES = {"Softmax", "LogSoftmax", "SoftmaxCrossEntropy", "Standardisation", "UnitNorm"}


@st.composite
def inputs_of(draw: st.DrawFn, op: str) -> Inputs:
    generator = seeded(draw(st.integers(0, 10_000)))

    def filled(number: int, shape: Shape | Fixed | int | None) -> object:
        if not isinstance(shape, tuple):
            return shape.value if isinstance(shape, Fixed) else shape
        filling = chance if number in CHANCES.get(op, ()) else normal
        return LAYOUTS[draw(st.sampled_from(sorted(LAYOUTS)))](filling(generator, *shape))

    drawn = tuple(filled(number, shape) for number, shape in enumerate(draw(SHAPES_OF[op])))
    return drawn + draw(OPTIONS.get(op, st.just(())))


def test_every_op_has_its_shapes() -> None:
    assert set(SHAPES_OF) == set(CATALOGUE)


@pytest.mark.parametrize("op", CATALOGUE)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_float64_equals_the_twin(op: str, data: st.DataObject) -> None:
    entry = CATALOGUE[op]
    leaves = on_each(lambda x: x.requires_grad_(), data.draw(inputs_of(op)))
    y, twin_y = entry.op.call(*leaves), entry.twin(*leaves)
    assert_close_in_float64(y, twin_y)
    cotangent = normal(seeded(data.draw(st.integers(0, 10_000))), *y.shape)
    cotangent = LAYOUTS[data.draw(st.sampled_from(sorted(LAYOUTS)))](cotangent)
    differs = op in DIFFERENCES and cotangent.numel() > 0
    assert_all_close(
        torch.autograd.grad(y, tensors(leaves), cotangent),
        torch.autograd.grad(twin_y, tensors(leaves), cotangent),
        term=cotangent.abs().max().item() if differs else 0.0,
    )


@pytest.mark.parametrize("op", CATALOGUE)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data(), dtype=st.sampled_from((torch.float32, torch.bfloat16)))
def test_low_precision_is_as_good_as_the_twin(
    op: str, data: st.DataObject, dtype: torch.dtype
) -> None:
    entry = CATALOGUE[op]
    assert_low_precision_is_as_good(entry.op.call, entry.twin, data.draw(inputs_of(op)), dtype)
