"""The catalogue is complete, repeatable, and its entries say what they promise."""

import inspect

import pytest
import torch
from torch import Tensor

from tests.random_inputs import seeded
from torchref import ops
from torchref.catalogue import CATALOGUE, Entry
from torchref.ops import Op

ENTRIES = pytest.mark.parametrize("entry", CATALOGUE.values(), ids=list(CATALOGUE))
TENSORS = {
    *("x", "weight", "bias", "target", "pos_weight", "mean"),
    *("variance", "other", "index", "src", "source", "mask"),
    *("class_weight", "query", "key", "value", "seed", "cos", "sin"),
    *("state",),
}
OPTIONS = {
    *("reduction", "beta", "threshold", "negative_slope", "alpha", "dim"),
    *("dims", "eps", "p", "stride", "padding", "dilation"),
    *("groups", "output_padding", "padding_idx", "scale_grad_by_freq", "delta", "margin"),
    *("log_target", "ignore_index", "label_smoothing", "rows", "scale", "is_causal"),
    *("dropout_p", "is_interleaved"),
    *("nonlinearity",),
    *("parallel", "left", "upper"),
    *("kernel_size", "ceil_mode", "count_include_pad", "divisor_override", "output_size"),
    *("block_size",),
}
OF_SQUARE_MATRICES = {"RNN", "RNNCell", "Cholesky", "Inverse", "LogDet", "Solve"}


def tensors(draw: tuple[tuple[object, ...], ...]) -> list[Tensor]:
    return [x for inputs in draw for x in inputs if isinstance(x, Tensor)]


def is_integer(x: Tensor) -> bool:
    return x.dtype in (torch.int64, torch.bool)  # an index, a label, a mask


def test_every_op_has_an_entry() -> None:
    written = {
        name
        for name in ops.__all__
        if isinstance(getattr(ops, name), type) and getattr(ops, name) is not Op
    }
    assert set(CATALOGUE) == written
    assert all(name == entry.name for name, entry in CATALOGUE.items())


@ENTRIES
@pytest.mark.parametrize("kind", ["samples", "tripping"])
def test_inputs_are_repeatable_and_drawn_anew_for_another_seed(entry: Entry, kind: str) -> None:
    draw = getattr(entry, kind)
    first, again, other = (tensors(draw(seeded(seed))) for seed in (0, 0, 1))
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    assert any(not torch.equal(x, y) for x, y in zip(first, other, strict=True))


@ENTRIES
def test_inputs_are_float64_and_finite_or_integers(entry: Entry) -> None:
    for x in tensors(entry.samples(seeded(0)) + entry.tripping(seeded(0))):
        assert x.dtype == torch.float64 or is_integer(x)
        assert x.isfinite().all()
        assert not x.requires_grad


@ENTRIES
def test_op_and_twin_take_every_input_and_agree_on_shape(entry: Entry) -> None:
    for inputs in entry.samples(seeded(0)) + entry.tripping(seeded(0)):
        assert entry.op.call(*inputs).shape == entry.twin(*inputs).shape


def rank_of_sizes(entry: Entry, x: Tensor) -> int:
    """How many of the dimensions are to differ: of a square matrix that has to be one but one."""
    has_to_be = entry.name in OF_SQUARE_MATRICES and x.shape[-2:-1] == x.shape[-1:]
    return x.dim() - has_to_be


@ENTRIES
def test_sizes_differ_so_that_a_transposed_gradient_cannot_pass(entry: Entry) -> None:
    for inputs in entry.samples(seeded(0)):
        for x in tensors((inputs,)):
            wide = [size for size in x.shape[: rank_of_sizes(entry, x)] if size != 1]
            assert len(wide) == len(set(wide))


@ENTRIES
def test_tripping_inputs_are_empty_once_and_not_contiguous_once(entry: Entry) -> None:
    tripping = tensors(entry.tripping(seeded(0)))
    assert any(x.numel() == 0 for x in tripping)
    assert any(not x.is_contiguous() for x in tripping)


@ENTRIES
def test_ops_obey_the_naming_law(entry: Entry) -> None:
    inputs = list(inspect.signature(entry.op.forward).parameters)
    first, *tangents = inspect.signature(entry.op.tangent).parameters.values()
    assert set(inputs) <= TENSORS | OPTIONS
    assert list(inspect.signature(entry.op.backward).parameters) == ["ctx", "grad_y"]
    assert first.name == "ctx"
    if tangents[-1].kind is inspect.Parameter.VAR_POSITIONAL:  # *_ are those of the options
        tangents.pop()
        inputs = [name for name in inputs if name in TENSORS]
    assert all(
        tangent.name in ("_", f"_{name}", f"d{name}")
        for name, tangent in zip(inputs, tangents, strict=True)
    )


@ENTRIES
def test_docstrings_have_formula_shapes_saved_source_and_example(entry: Entry) -> None:
    for part in ("Derivation:", "Shapes:", "Saves ", "Source:", ">>> "):
        assert part in entry.op.__doc__
