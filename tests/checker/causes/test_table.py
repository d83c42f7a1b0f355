"""Each row of the table of causes: what it predicts is planted in a right backward, and named."""

from collections.abc import Iterator
from itertools import islice, product

import pytest
import torch
from torch import Tensor

from tests.checker.causes.one_gradient import wrong
from tests.checker.given.runs import normal
from torchref import crosscheck
from torchref.checker.causes.cause import Predicts
from torchref.checker.causes.mismatch import Mismatch
from torchref.checker.causes.search import recognised
from torchref.checker.causes.table import CAUSES
from torchref.checker.execution.arithmetic import same

MOST_PREDICTIONS = 8  # of one rule that are planted
SHAPES = ((4, 5), (4, 4))  # the second is for rules that predict nothing of the first
ROWS = [(name, rule) for name, cause in CAUSES.items() for rule in cause.predicts]


def predicted(rule: Predicts, name: str, trues: dict[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """What a rule predicts of one argument, in its shape, if all others have the same mistake."""
    true, others = trues[name], {other: g for other, g in trues.items() if other != name}
    nowhere = torch.zeros_like(true).bool()
    mismatch = Mismatch(name, true, true, nowhere, {}, others, dict.fromkeys(others, true))
    yield from (each for each in rule(mismatch) if each[1].shape == true.shape)


def planted(rule: Predicts, place: int) -> type[torch.autograd.Function]:
    """tanh(x) · w, with the prediction of that place in place of each gradient."""

    class Planted(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, w):
            ctx.save_for_backward(x, w)
            return torch.tanh(x) * w

        @staticmethod
        def backward(ctx, grad_y):
            x, w = ctx.saved_tensors
            y = torch.tanh(x)
            trues = {"x": grad_y * (w * (1 - y**2)).conj(), "w": grad_y * y.conj()}
            told = (list(islice(predicted(rule, name, trues), place, None)) for name in trues)
            return tuple(predictions[0][1] for predictions in told)

    return Planted


def inputs(
    dtype: torch.dtype, seed: int, shape: tuple[int, int] = SHAPES[0]
) -> tuple[Tensor, Tensor]:
    x, w, *imaginary = (normal(*shape, seed=10 * seed + i) for i in range(4))
    if dtype.is_complex:
        return torch.complex(x, imaginary[0]), torch.complex(w, imaginary[1])
    return x, w


def places(rule: Predicts, x: Tensor, w: Tensor) -> int:
    return len(list(islice(predicted(rule, "x", {"x": x, "w": w}), MOST_PREDICTIONS)))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1].__name__}")
def test_what_a_row_predicts_is_named_by_it(row: tuple[str, Predicts], seed: int) -> None:
    name, rule = row
    tried = 0
    for shape, dtype in product(SHAPES, (torch.float64, torch.complex128)):
        if tried and shape != SHAPES[0]:
            break
        x, w = inputs(dtype, seed, shape)
        for place in range(places(rule, x, w)):
            report = crosscheck(
                planted(rule, place), lambda x, w: torch.tanh(x) * w, (x, w), thorough=False
            )
            assert report.verdict == "wrong", str(report)
            assert name in {finding.cause for finding in report.findings[:2]}, str(report)
            tried += 1
    assert tried, "it predicts nothing of two arguments of one shape, real or complex"


def test_a_prediction_that_is_the_true_gradient_accuses_nobody() -> None:
    """Of a symmetric gradient the transposed one is no other, however little it is off."""
    true = torch.tensor([[1.0, 2.0], [2.0, 3.0]], dtype=torch.float64)
    got = true * (1 + 3e-7)
    assert same(got, true.T)
    assert "transposed" not in {each.cause for each in recognised(wrong(got, true))}
