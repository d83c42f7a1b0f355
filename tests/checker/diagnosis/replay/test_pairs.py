"""Two shares among many that add up to what is lost."""

import pytest
import torch

from tests.checker.given import seeded
from torchref.checker.diagnosis.replay.pairs import pairs_that_may_fit

SHAPES = ((3, 4), (5,), ())


def drawn(seed: int, dtype: torch.dtype, size: float = 1.0) -> list[torch.Tensor]:
    generator = seeded(seed)
    return [size * torch.randn(shape, generator=generator, dtype=dtype) for shape in SHAPES]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.complex128])
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("size", [1e-8, 1.0, 1e8])
def test_the_pair_is_found_and_no_other(dtype: torch.dtype, times: int, size: float) -> None:
    shares = [drawn(seed, dtype, size) for seed in range(30)]
    lost = [times * (a + b) for a, b in zip(shares[7], shares[19], strict=True)]
    assert list(pairs_that_may_fit(shares, lost, times)) == [[7, 19]]


def test_the_same_entries_in_another_order_are_another_share() -> None:
    shares = [drawn(seed, torch.float64) for seed in range(3)]
    lost = [(a + b).flatten().flip(0).view(a.shape) for a, b in zip(*shares[:2], strict=True)]
    assert not list(pairs_that_may_fit(shares, lost, 1))


def test_one_share_makes_no_pair() -> None:
    share = drawn(0, torch.float64)
    assert not list(pairs_that_may_fit([share], [2 * g for g in share], 1))
