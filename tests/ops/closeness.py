"""How close is close enough, and why."""

from collections.abc import Iterable

import torch
from torch import Tensor


def assert_close_in_float64(actual: Tensor, expected: Tensor, term: float = 0.0) -> None:
    """Within 1e-12 of the largest entry expected: some 5000 roundings of float64.

    Sums cancel, so a small entry of a matrix product knows no more digits than the largest. Where
    every entry is such a sum, of terms of size `term`, none knows more digits than the terms do.
    """
    finite = expected[expected.isfinite()].abs()
    scale = max(term, finite.max().item() if finite.numel() else 0.0)
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-12 * scale, equal_nan=True)


def assert_all_close(
    actual: Iterable[Tensor], expected: Iterable[Tensor], term: float = 0.0
) -> None:
    for mine, its in zip(actual, expected, strict=True):
        assert_close_in_float64(mine, its, term)


def assert_as_good_as_twin(mine: Tensor, twins: Tensor, truth: Tensor, term: float) -> None:
    """The error is at most the twin's own, and eight roundings of the largest term.

    A twin's kernel often rounds once, where the formula written in torch operations rounds after
    each of its up to eight steps. Terms of size `term` may cancel in the sum, so their roundings
    are counted from the size of the terms.
    """
    finite = truth.isfinite()
    torch.testing.assert_close(mine[~finite].double(), truth[~finite], equal_nan=True)
    if not finite.any():
        return
    mine, twins, truth = mine[finite], twins[finite], truth[finite]
    rounding = torch.finfo(mine.dtype).eps / 2
    error, twins_error = ((y.double() - truth).abs().max().item() for y in (mine, twins))
    allowed = twins_error + 8 * rounding * max(term, truth.abs().max().item())
    assert error <= allowed, f"error {error:.3g}, allowed {allowed:.3g}, twin {twins_error:.3g}"
