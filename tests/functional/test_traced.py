"""Checks of values do not stand in the way of vmap and torch.compile."""

from collections.abc import Iterator

import pytest
import torch
from torch.func import grad, vmap

import torchref.functional as R
from tests.functional.side_by_side import assert_same, chance, normal, value_and_gradients
from tests.ops.catalogue_cases import TORCH_MAKES_INSTANCES

pytestmark = pytest.mark.filterwarnings(TORCH_MAKES_INSTANCES)


@pytest.fixture(autouse=True)
def _forget_what_was_compiled() -> Iterator[None]:
    yield
    torch.compiler.reset()


ARGUMENTS = {
    "linear": (normal(0, 5, 4), normal(1, 3, 4), normal(2, 3)),
    "binary_cross_entropy": (chance(0, 5, 3), chance(1, 5, 3)),
    "binary_cross_entropy_with_logits": (normal(0, 5, 3), chance(1, 5, 3)),
    "mse_loss": (normal(0, 5, 3), normal(1, 5, 3)),
    "layer_norm": (normal(0, 5, 3), (3,), normal(1, 3), normal(2, 3)),
    "rms_norm": (normal(0, 5, 3).bfloat16(), (3,), normal(1, 3).float()),
    "batch_norm": (normal(0, 5, 3), None, None, normal(1, 3), normal(2, 3), True),
    "group_norm": (normal(0, 5, 6), 2, normal(1, 6), normal(2, 6)),
    "instance_norm": (normal(0, 5, 3, 4), None, None, normal(1, 3), normal(2, 3)),
    "normalize": (normal(0, 5, 3),),
    "embedding": (torch.tensor([2, 0, 2]), normal(0, 5, 3), 2),
    "index_add": (normal(0, 5), 0, torch.tensor([2, 0, 2]), normal(1, 3)),
    "dropout": (normal(0, 5, 3),),
    "bilinear": (normal(0, 5, 4), normal(1, 5, 3), normal(2, 6, 4, 3), normal(3, 6)),
    "matmul": (normal(0, 2, 5, 4), normal(1, 4, 3)),
    "scaled_dot_product_attention": (normal(0, 4, 5), normal(1, 3, 5), normal(2, 3, 7)),
    "blockwise_attention": (normal(0, 4, 5), normal(1, 3, 5), normal(2, 3, 7)),
    "rotary_embedding": (normal(0, 5, 4), normal(1, 5, 2), normal(2, 5, 2)),
    "conv1d": (normal(0, 2, 4, 7), normal(1, 6, 2, 3), normal(2, 6), 2, 1, 1, 2),
    "conv_transpose1d": (normal(0, 2, 4, 7), normal(1, 4, 2, 3), normal(2, 4), 2, 1, 1, 2),
    "max_pool2d": (normal(0, 2, 3, 5, 4), 2),
    "avg_pool2d": (normal(0, 2, 3, 5, 4), 3, 2, 1, True, False),
    "adaptive_avg_pool1d": (normal(0, 2, 3, 5), 2),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_compiles_in_one_graph(name: str) -> None:
    function = getattr(R, name)
    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    assert_same(
        value_and_gradients(compiled, *ARGUMENTS[name]),
        value_and_gradients(function, *ARGUMENTS[name]),
    )


def test_compiles_under_autocast() -> None:
    arguments = [x.float() for x in ARGUMENTS["linear"]]

    def under_autocast(*inputs: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return R.sigmoid(R.linear(*inputs))

    compiled = torch.compile(under_autocast, fullgraph=True, backend="aot_eager")
    mine = value_and_gradients(compiled, *arguments)
    eager = value_and_gradients(under_autocast, *arguments)
    assert [x.dtype for x in mine] == [torch.bfloat16, *(3 * [torch.float32])]
    torch.testing.assert_close(mine, eager, rtol=0.02, atol=0.02)  # a rounding of bfloat16 or two


@pytest.mark.parametrize(
    "name", ["binary_cross_entropy", "binary_cross_entropy_with_logits", "mse_loss"]
)
def test_gradients_of_single_examples(name: str) -> None:
    loss = getattr(R, name)
    inputs, targets = chance(0, 5, 3), chance(1, 5, 3)
    together = vmap(grad(loss))(inputs, targets)
    one_by_one = [grad(loss)(x, target) for x, target in zip(inputs, targets, strict=True)]
    assert_same((together,), (torch.stack(one_by_one),))


def test_meta_tensors_have_no_values_to_check() -> None:
    x = torch.empty(5, 3, device="meta")
    assert R.binary_cross_entropy(x, x).shape == ()
