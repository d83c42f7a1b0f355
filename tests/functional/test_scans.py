"""Running sums and linear recurrences beside torch's and beside their loops."""

import pytest
import torch
from torch import Tensor

import torchref.functional as R
from tests.functional.side_by_side import assert_same, normal, value_and_gradients
from tests.ops.catalogue_cases import TORCH_MAKES_INSTANCES, TORCH_SCRIPTS_ITS_JVP

pytestmark = pytest.mark.filterwarnings(TORCH_MAKES_INSTANCES, TORCH_SCRIPTS_ITS_JVP)


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_cumsum_is_torchs(dim: int) -> None:
    x = normal(0, 5, 3)
    assert_same(value_and_gradients(R.cumsum, x, dim), value_and_gradients(torch.cumsum, x, dim))


def test_cumsum_in_another_dtype_is_torchs() -> None:
    for x in (torch.arange(6).reshape(2, 3), torch.ones(2, 3, dtype=torch.bfloat16) / 3):
        mine, its = (f(x, 1, dtype=torch.float32) for f in (R.cumsum, torch.cumsum))
        assert torch.equal(mine, its)
    assert R.cumsum(torch.tensor(2.0), 0) == 2


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize("weight", [(), (3,), (5, 1), (5, 3)], ids=str)
def test_a_linear_recurrence_broadcasts_its_weight(
    weight: tuple[int, ...], parallel: bool, dtype: torch.dtype
) -> None:
    x, a, state = normal(0, 5, 3).to(dtype), normal(1, *weight).to(dtype), normal(2, 3).to(dtype)

    def loop(x: Tensor, a: Tensor, state: Tensor) -> Tensor:
        a, y, seen = a.expand(5, 3), state, []
        for x_t, a_t in zip(x, a, strict=True):
            y = a_t * y + x_t
            seen.append(y)
        return torch.stack(seen)

    mine = value_and_gradients(
        lambda *given: R.linear_recurrence(*given, dim=0, parallel=parallel), x, a, state
    )
    truth = value_and_gradients(loop, *(each.double() for each in (x, a, state)))
    assert all(each.dtype == dtype for each in mine)
    for one, true in zip(mine, truth, strict=True):
        near = (
            2 * torch.finfo(dtype).eps * true.abs().max().item()
            if dtype != x.double().dtype
            else 1e-12
        )
        torch.testing.assert_close(one.double(), true, rtol=0, atol=near)
