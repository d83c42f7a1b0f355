"""Every op equals its twin for any shape, dtype and memory layout that hypothesis thinks of."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ops.catalogue_cases import has_a_twin_in, on_each, tensors
from tests.ops.closeness import assert_all_close, assert_close_in_float64
from tests.ops.memory_layouts import LAYOUTS
from tests.ops.shapes.drawn import Fixed, Indices, Shape
from tests.ops.shapes.families import CHANCES, DIFFERENCES, OPTIONS, SHAPES_OF
from tests.ops.test_low_precision import assert_low_precision_is_as_good
from tests.random_inputs import seeded
from tests.slow import few_of
from torchref.catalogue import CATALOGUE, Inputs
from torchref.catalogue.entry import chance, normal

# An entry within a rounding of the threshold is on either side of it by chance: so is its slope.
SLOPE_JUMPS = {"Sparsemax"}


@st.composite
def inputs_of(draw: st.DrawFn, op: str) -> Inputs:
    generator = seeded(draw(st.integers(0, 10_000)))

    def filled(number: int, shape: Shape | Fixed | Indices | int | None) -> object:
        if isinstance(shape, Indices):
            return torch.randint(shape.least, shape.end, shape.shape, generator=generator)
        if not isinstance(shape, tuple):
            return shape.value if isinstance(shape, Fixed) else shape
        filling = chance if number in CHANCES.get(op, ()) else normal
        return LAYOUTS[draw(st.sampled_from(sorted(LAYOUTS)))](filling(generator, *shape))

    drawn = tuple(filled(number, shape) for number, shape in enumerate(draw(SHAPES_OF[op])))
    return drawn + draw(OPTIONS.get(op, st.just(())))


def test_every_op_has_its_shapes() -> None:
    assert set(SHAPES_OF) == set(CATALOGUE)


@pytest.mark.parametrize("op", few_of(CATALOGUE))
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


@pytest.mark.parametrize("op", few_of(CATALOGUE, first=1))
@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data(), dtype=st.sampled_from((torch.float32, torch.bfloat16, torch.float16)))
def test_low_precision_is_as_good_as_the_twin(
    op: str, data: st.DataObject, dtype: torch.dtype
) -> None:
    entry = CATALOGUE[op]
    inputs = data.draw(inputs_of(op))
    if has_a_twin_in(dtype, op) and op not in SLOPE_JUMPS:
        assert_low_precision_is_as_good(entry.op.call, entry.twin, inputs, dtype)
