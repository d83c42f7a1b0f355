"""What each loss is called with, with all of its options: a name, arguments, keywords."""

from typing import Any

import torch

from tests.functional.side_by_side import chance, normal

NUMBERS = torch.tensor([0, 2, 1, -100, 2])
LABELS = torch.tensor([[1, -1, 1], [-1, -1, 1], [1, 1, -1], [-1, 1, 1], [1, -1, -1]])
PAIR = normal(0, 5, 3), normal(1, 5, 3)
ROWS = normal(0, 5, 3)
LOGARITHMS = ROWS.log_softmax(-1)

CASES: dict[str, tuple[str, tuple[Any, ...], dict[str, Any]]] = {
    "l1": ("l1_loss", PAIR, {}),
    "l1 with a weight": ("l1_loss", PAIR, {"weight": chance(2, 5, 3)}),
    "l1 of one number": ("l1_loss", (normal(0), normal(1)), {}),
    "l1 of nothing": ("l1_loss", (normal(0, 0, 3), normal(1, 0, 3)), {}),
    "smooth": ("smooth_l1_loss", PAIR, {}),
    "smooth with beta": ("smooth_l1_loss", PAIR, {"beta": 0.3}),
    "smooth without beta": ("smooth_l1_loss", PAIR, {"beta": 0.0}),
    "huber": ("huber_loss", PAIR, {}),
    "huber with all": ("huber_loss", PAIR, {"delta": 0.3, "weight": chance(2, 5, 3)}),
    "mse": ("mse_loss", PAIR, {"weight": chance(2, 5, 3)}),
    "log loss": ("binary_cross_entropy", (chance(0, 5, 3), chance(1, 5, 3), chance(2, 3)), {}),
    "log loss of logits": ("binary_cross_entropy_with_logits", (ROWS, chance(1, 5, 3)), {}),
    "divergence": ("kl_div", (LOGARITHMS, chance(1, 5, 3)), {}),
    "divergence of logarithms": ("kl_div", (LOGARITHMS, normal(1, 5, 3)), {"log_target": True}),
    "divergence of one number": ("kl_div", (normal(0), chance(1)), {}),
    "numbers": ("nll_loss", (LOGARITHMS, NUMBERS), {}),
    "numbers with a weight": ("nll_loss", (LOGARITHMS, NUMBERS), {"weight": chance(2, 3)}),
    "numbers without one": ("nll_loss", (LOGARITHMS, NUMBERS.clamp_min(0)), {"ignore_index": 2}),
    "one number": ("nll_loss", (normal(0, 4), torch.tensor(2)), {"weight": chance(2, 4)}),
    "numbers of pictures": (
        "nll_loss",
        (normal(0, 2, 3, 2, 1), torch.tensor([[[0], [2]]] * 2)),
        {},
    ),
    "numbers of nothing": ("nll_loss", (normal(0, 0, 3), NUMBERS[:0]), {}),
    "bytes": ("nll_loss", (LOGARITHMS, NUMBERS.clamp_min(0).byte()), {}),
    "cross-entropy": ("cross_entropy", (3 * ROWS, NUMBERS), {}),
    "cross-entropy with all": (
        "cross_entropy",
        (3 * ROWS, NUMBERS),
        {"weight": chance(2, 3), "label_smoothing": 0.2},
    ),
    "cross-entropy of chances": ("cross_entropy", (3 * ROWS, chance(1, 5, 3)), {}),
    "hinge": ("hinge_embedding_loss", (ROWS, LABELS), {}),
    "hinge of other labels": ("hinge_embedding_loss", (ROWS, 0 * LABELS), {"margin": 0.5}),
    "hinge of a column": ("hinge_embedding_loss", (ROWS[:, 0], LABELS[:, 0]), {"margin": 2}),
    "ranking": ("margin_ranking_loss", (*PAIR, normal(2, 5, 3)), {}),
    "ranking by labels": ("margin_ranking_loss", (*PAIR, LABELS), {"margin": 0.5}),
    "margins": ("multi_margin_loss", (ROWS, NUMBERS.clamp_min(0)), {}),
    "square margins": (
        "multi_margin_loss",
        (ROWS, NUMBERS.clamp_min(0)),
        {"p": 2, "margin": 0.5, "weight": chance(2, 3)},
    ),
    "margins of one row": ("multi_margin_loss", (normal(0, 4), torch.tensor(2)), {}),
    "cosine": ("cosine_embedding_loss", (*PAIR, LABELS[:, 0]), {}),
    "cosine with a margin": ("cosine_embedding_loss", (*PAIR, LABELS[:, 1]), {"margin": 0.3}),
    "cosine of one": ("cosine_embedding_loss", (normal(0, 4), normal(1, 4), LABELS[0, 0]), {}),
    "linear": ("linear_cross_entropy", (normal(0, 5, 4), normal(1, 3, 4), NUMBERS), {}),
    "linear with all": (
        "linear_cross_entropy",
        (normal(0, 5, 4), normal(1, 3, 4), NUMBERS.clamp_min(0)),
        {
            "linear_bias": normal(2, 3),
            "weight": chance(3, 3),
            "label_smoothing": 0.2,
            "ignore_index": 2,
        },
    ),
    "linear of one": ("linear_cross_entropy", (normal(0, 4), normal(1, 3, 4), NUMBERS[1]), {}),
    "linear of chances": (
        "linear_cross_entropy",
        (normal(0, 5, 4), normal(1, 3, 4), chance(2, 5, 3)),
        {"linear_bias": normal(3, 3)},
    ),
    "linear of places": (
        "linear_cross_entropy",
        (normal(0, 5, 4), normal(1, 3, 2, 4), torch.stack((NUMBERS, NUMBERS), 1)),
        {"linear_bias": normal(3, 3, 2)},
    ),
}
