"""Every op under torch.func and torch.compile gives what it gives without them."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor
from torch.func import grad, jvp, vmap

from tests.ops.catalogue_cases import (
    SAMPLES,
    TORCH_MAKES_INSTANCES,
    TORCH_SCRIPTS_ITS_JVP,
    TRIPPING,
    Case,
    gradients,
    normal_like,
    of_tensors,
    tensors,
)
from tests.ops.closeness import assert_all_close, assert_close_in_float64
from tests.slow import few_of

pytestmark = pytest.mark.filterwarnings(TORCH_SCRIPTS_ITS_JVP, TORCH_MAKES_INSTANCES)

BATCH = range(3)


class Batch:
    """A case drawn three times over, stacked in a first or last dimension."""

    def __init__(self, case: Case, dim: int) -> None:
        draws = [case.inputs(seed) for seed in BATCH]
        self.function = of_tensors(case.entry.op.call, draws[0])
        self.examples = [tensors(draw) for draw in draws]
        self.stacked = tuple(torch.stack(same, dim) for same in zip(*self.examples, strict=True))
        self.arguments = tuple(range(len(self.stacked)))
        self.cotangent = normal_like(self.function(*self.examples[0]), seed=1)

    def loss(self, *given: Tensor) -> Tensor:
        return (self.function(*given) * self.cotangent).sum()

    def gradients(self) -> Iterator[Tensor]:
        """What a loop over the examples gives, stacked for each argument."""
        each = [grad(self.loss, self.arguments)(*example) for example in self.examples]
        return (torch.stack(same) for same in zip(*each, strict=True))


def moved_first(results: tuple[Tensor, ...], dim: int) -> Iterator[Tensor]:
    return (result.movedim(dim, 0) for result in results)


@pytest.mark.parametrize("dim", [0, -1])
@pytest.mark.parametrize("case", SAMPLES, ids=str)
def test_vmap_is_a_loop(case: Case, dim: int) -> None:
    batch = Batch(case, dim)
    together = vmap(batch.function, in_dims=dim)(*batch.stacked)
    one_by_one = torch.stack([batch.function(*example) for example in batch.examples])
    assert_close_in_float64(together, one_by_one)


@pytest.mark.parametrize("dim", [0, -1])
@pytest.mark.parametrize("case", SAMPLES, ids=str)
def test_vmap_of_grad_is_a_loop(case: Case, dim: int) -> None:
    batch = Batch(case, dim)
    together = vmap(grad(batch.loss, batch.arguments), in_dims=dim)(*batch.stacked)
    assert_all_close(together, batch.gradients())


@pytest.mark.parametrize("dim", [0, -1])
@pytest.mark.parametrize("case", SAMPLES, ids=str)
def test_grad_of_vmap_is_a_loop(case: Case, dim: int) -> None:
    batch = Batch(case, dim)

    def total(*given: Tensor) -> Tensor:
        return vmap(batch.loss, in_dims=dim)(*given).sum()

    together = grad(total, batch.arguments)(*batch.stacked)
    assert_all_close(moved_first(together, dim), batch.gradients())


@pytest.mark.parametrize("case", SAMPLES, ids=str)
def test_vmap_over_one_argument_leaves_the_others(case: Case) -> None:
    batch = Batch(case, 0)
    for argument in batch.arguments:
        in_dims = tuple(0 if other == argument else None for other in batch.arguments)
        shared = list(batch.examples[0])
        each = []
        for alone in batch.stacked[argument]:
            shared[argument] = alone
            each.append(grad(batch.loss, argument)(*shared))
        shared[argument] = batch.stacked[argument]
        together = vmap(grad(batch.loss, argument), in_dims=in_dims)(*shared)
        assert_close_in_float64(together, torch.stack(each))


@pytest.mark.parametrize("case", SAMPLES, ids=str)
def test_forward_mode_is_reverse_mode_turned_round(case: Case) -> None:
    """<u, J v> = <Jᵀ u, v>, for every argument at once."""
    batch = Batch(case, 0)
    directions = tuple(normal_like(x, seed) for seed, x in enumerate(batch.examples[0]))
    _, slope = jvp(batch.loss, batch.examples[0], directions)
    reverse = grad(batch.loss, batch.arguments)(*batch.examples[0])
    turned = sum((g * v).sum() for g, v in zip(reverse, directions, strict=True))
    torch.testing.assert_close(slope, turned, rtol=1e-12, atol=1e-12)


# At 0 and 1 the slope of LogLoss is a convention: it tells the handwritten rule from autograd's.
COMPILED = [case for case in SAMPLES if case.number == 0] + [
    case for case in TRIPPING if str(case) == "LogLoss-tripping-0"
]


@pytest.fixture(autouse=True)
def _forget_what_was_compiled() -> Iterator[None]:
    yield
    torch.compiler.reset()


@pytest.mark.parametrize("case", few_of(COMPILED))
def test_compiles_in_one_graph_forward_and_backward(case: Case) -> None:
    compiled = torch.compile(case.entry.op.call, fullgraph=True, backend="aot_eager")
    y, mine = gradients(compiled, case.inputs())
    eager_y, eager = gradients(case.entry.op.call, case.inputs())
    assert_close_in_float64(y, eager_y)
    assert_all_close(mine, eager)
