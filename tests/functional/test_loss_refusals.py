"""What a loss cannot work with is refused, with what must hold and what arrived."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, ones, zeros

import torchref.functional as R
from tests.functional.loss_cases import LABELS, NUMBERS, PAIR, ROWS
from tests.functional.refusals import assert_refused, each_of
from tests.ops.catalogue_cases import on_device
from torchref.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")

REFUSED = {
    "a negative beta": (
        lambda: R.smooth_l1_loss(*PAIR, beta=-1.0),
        ("smooth_l1_loss: beta must not be negative", "-1.0 arrived"),
    ),
    "delta of 0": (
        lambda: R.huber_loss(*PAIR, delta=0.0),
        ("huber_loss: delta must be positive", "0.0 arrived"),
    ),
    "a weight that would broadcast": (
        lambda: R.l1_loss(*PAIR, weight=ones(3).double()),
        ("l1_loss: weight and input must have the same shape", "(3,)", "expand_as"),
    ),
    "a target that would broadcast": (
        lambda: R.kl_div(ones(5, 1), ones(5)),
        ("kl_div: input and target must have the same shape", "(5, 1) and (5,)"),
    ),
    "a batchmean elsewhere": (
        lambda: R.l1_loss(*PAIR, reduction="batchmean"),
        ("l1_loss: reduction must be one of none, sum, mean", "'batchmean' arrived"),
    ),
    "a class that there is not": (
        lambda: R.nll_loss(ROWS, torch.tensor([0, 1, 2, 3, 0])),
        ("nll_loss: class numbers must lie in [0, 2], or be ignore_index", "3 is among them"),
    ),
    "a class that is not ignored": (
        lambda: R.multi_margin_loss(ROWS, NUMBERS),
        ("multi_margin_loss: class numbers must lie in [0, 2], but -100 is among them",),
    ),
    "floats as class numbers": (
        lambda: R.nll_loss(ROWS, ones(5)),
        ("nll_loss: target must hold class numbers", "torch.float32", "target.long()"),
    ),
    "class numbers for other rows": (
        lambda: R.nll_loss(ROWS, NUMBERS[:4]),
        ("nll_loss: target must have the shape of input without its classes", "(4,)"),
    ),
    "no classes": (
        lambda: R.nll_loss(zeros(5, 0), NUMBERS),
        ("nll_loss: input must have a dimension of one class or more", "(5, 0)"),
    ),
    "a weight for other classes": (
        lambda: R.multi_margin_loss(ROWS, NUMBERS.clamp_min(0), weight=ones(2).double()),
        ("multi_margin_loss: weight must have one entry a class", "(2,)", "3 classes"),
    ),
    "another power": (
        lambda: R.multi_margin_loss(ROWS, NUMBERS.clamp_min(0), p=3),
        ("multi_margin_loss: p must be 1 or 2", "3 arrived"),
    ),
    "scores of pictures": (
        lambda: R.multi_margin_loss(zeros(2, 3, 4), zeros(2, 4).long()),
        ("multi_margin_loss: input must have shape (C) or (N, C)", "(2, 3, 4)"),
    ),
    "labels of another shape": (
        lambda: R.hinge_embedding_loss(ROWS, LABELS[:, :1]),
        ("hinge_embedding_loss: target must have the shape (5, 3)", "it has shape (5, 1)"),
    ),
    "a label for each entry": (
        lambda: R.cosine_embedding_loss(*PAIR, LABELS),
        ("cosine_embedding_loss: target must have the shape (5,)", "(5, 3)"),
    ),
    "vectors of two lengths": (
        lambda: R.cosine_embedding_loss(ROWS, ROWS[:, :2], LABELS[:, 0]),
        ("cosine_embedding_loss: input1, input2 must have the same shape", "(5, 2)"),
    ),
    "vectors in three dimensions": (
        lambda: R.cosine_embedding_loss(ones(2, 3, 4), ones(2, 3, 4), ones(2, 3)),
        ("input1 and input2 must be vectors", "(2, 3, 4)"),
    ),
    "scores of two shapes": (
        lambda: R.margin_ranking_loss(ROWS, ROWS[:1], LABELS),
        ("margin_ranking_loss: input1, input2, target must have the same shape", "(1, 3)"),
    ),
    "no target": (
        lambda: R.margin_ranking_loss(*PAIR, None),
        ("margin_ranking_loss: target must be a tensor", "it is None"),
    ),
    "features of two sizes": (
        lambda: R.linear_cross_entropy(ones(5, 4), ones(4, 3), NUMBERS),
        ("linear_cross_entropy: input must have shape (D) or (N, D)", "linear_weight.T"),
    ),
    "a bias for other classes": (
        lambda: R.linear_cross_entropy(ones(5, 4), ones(3, 4), NUMBERS, linear_bias=ones(4)),
        ("linear_bias must have the shape of linear_weight without its last", "(4,)"),
    ),
    "what is ignored of chances": (
        lambda: R.linear_cross_entropy(ones(5, 4), ones(3, 4), ones(5, 3), ignore_index=1),
        ("linear_cross_entropy: ignore_index must be left out", "it is 1"),
    ),
    "too much smoothing": (
        lambda: R.linear_cross_entropy(ones(5, 4), ones(3, 4), NUMBERS, label_smoothing=2.0),
        ("linear_cross_entropy: label_smoothing must lie in [0, 1]", "2.0"),
    ),
}


@each_of(REFUSED)
def test_bad_input_is_refused_with_a_telling_message(
    call: Callable[[], Tensor], words: tuple[str, ...]
) -> None:
    assert_refused(call, words)


@pytest.mark.parametrize("device", ["meta", pytest.param("cuda:0", marks=pytest.mark.cuda)])
def test_class_numbers_elsewhere_are_refused(device: str) -> None:
    (elsewhere,) = on_device((NUMBERS.clamp_min(0),), device)
    for call in (
        lambda: R.nll_loss(ROWS, elsewhere),
        lambda: R.cross_entropy(ROWS, elsewhere),
        lambda: R.multi_margin_loss(ROWS, elsewhere),
        lambda: R.linear_cross_entropy(ROWS, ones(4, 3).double(), elsewhere),
    ):
        with pytest.raises(InputError, match=rf"same device, but they have cpu and {device}"):
            call()
