"""Rotary embeddings: what they turn, in which order, and what is refused."""

from collections.abc import Callable

import torch
from torch import Tensor, ones

import torchref.functional as R
from tests.functional.refusals import assert_refused, each_of
from tests.functional.side_by_side import normal, value_and_gradients


def turned(x: Tensor, position: int, base: float = 10000.0) -> Tensor:
    """A vector of pairs (2r, 2r + 1) at a position, by complex numbers."""
    pairs = torch.view_as_complex(x.reshape(-1, 2))
    angle = position * base ** (-torch.arange(0, len(x), 2, dtype=torch.float64) / len(x))
    return torch.view_as_real(pairs * torch.exp(1j * angle)).reshape(-1)


def test_rotary_embedding_turns_each_position_by_its_angles() -> None:
    x, tables = normal(0, 2, 3, 5, 6), R.rotary_tables(9, 6, dtype=torch.float64)
    y = R.rotary_embedding(x, *tables, interleaved=True)
    torch.testing.assert_close(y[1, 2, 4], turned(x[1, 2, 4], 4))
    positions = torch.tensor([[8, 0, 3, 3, 1], [1, 2, 3, 4, 5]]).unsqueeze(1)
    y = R.rotary_embedding(x, *tables, positions, interleaved=True)
    torch.testing.assert_close(y[0, 1, 0], turned(x[0, 1, 0], 8))
    torch.testing.assert_close(y[1, 1, 0], turned(x[1, 1, 0], 1))


def test_halves_are_pairs_in_another_order() -> None:
    x, tables = normal(0, 5, 8), R.rotary_tables(5, 6, dtype=torch.float64)
    order = torch.tensor([0, 3, 1, 4, 2, 5, 6, 7])  # from halves to pairs
    y, pairs = R.rotary_embedding(x, *tables), R.rotary_embedding(x[:, order], *tables, None, True)
    assert torch.equal(y[:, order], pairs)


def test_products_of_turned_vectors_depend_on_the_distance_alone() -> None:
    tables = R.rotary_tables(40, 6, dtype=torch.float64)
    query, key = (R.rotary_embedding(normal(n, 1, 6).expand(40, 6), *tables) for n in (0, 1))
    products = query @ key.T
    torch.testing.assert_close(products[5:, 5:], products[:-5, :-5])


def test_low_precision_of_rotary_embedding_is_rounded_once() -> None:
    x, tables = normal(0, 5, 6).bfloat16(), R.rotary_tables(5, 6, dtype=torch.float32)
    y, grad_x = value_and_gradients(R.rotary_embedding, x, *tables, wrt=1)
    assert (y.dtype, grad_x.dtype) == (torch.bfloat16, torch.bfloat16)
    assert torch.equal(y, R.rotary_embedding(x.float(), *tables).bfloat16())


ROTARY_REFUSED = {
    "tables that differ": (
        lambda: R.rotary_embedding(ones(5, 6), ones(5, 3), ones(5, 2)),
        ("tables (positions, pairs) of one shape", "rotary_tables"),
    ),
    "doubled columns": (
        lambda: R.rotary_embedding(ones(5, 6), ones(5, 6), ones(5, 6)),
        ("two features for each of the 6 pairs", "(5, 6)", "doubled"),
    ),
    "too many positions": (
        lambda: R.rotary_embedding(ones(5, 6), *R.rotary_tables(4, 6)),
        ("a row for each of the 5 positions", "4"),
    ),
    "a position beyond": (
        lambda: R.rotary_embedding(ones(2, 6), *R.rotary_tables(4, 6), torch.tensor([0, 4])),
        ("positions must lie in [0, 3]", "from 0 to 4"),
    ),
    "positions of another length": (
        lambda: R.rotary_embedding(ones(2, 6), *R.rotary_tables(4, 6), torch.tensor([0, 1, 2])),
        ("positions must broadcast to input without its features, (2,)", "(3,)"),
    ),
    "positions that are numbers": (
        lambda: R.rotary_embedding(ones(2, 6), *R.rotary_tables(4, 6), ones(2)),
        ("positions must be integers", "torch.float32"),
    ),
    "odd features": (lambda: R.rotary_tables(4, 5), ("features must be even", "5")),
}


@each_of(ROTARY_REFUSED)
def test_bad_rotations_are_refused(call: Callable[[], Tensor], words: tuple[str, ...]) -> None:
    assert_refused(call, words)
