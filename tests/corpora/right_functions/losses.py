"""Losses with their options."""

import torch
from torch.nn import functional as F

from tests.corpora.rows import rows_with_ignored_target, rows_with_target, weighted_rows
from tests.random_inputs import indices, leaf, normal, normals, positive

from .right_function import family


def rows_with_probabilities(generator):
    return normal(generator, 5, 4), leaf(normal(generator, 5, 4).softmax(-1))


def image_with_target(generator):
    return normal(generator, 2, 4, 3, 5), indices(generator, 4, 2, 3, 5)


def log_probabilities_with_target(generator):
    return leaf(normal(generator, 6, 4).log_softmax(-1)), indices(generator, 4, 6)


def log_probabilities_of_two(generator):
    return leaf(normal(generator, 4, 3).log_softmax(-1)), leaf(normal(generator, 4, 3).softmax(-1))


def differences_at_corners(generator):
    target = normal(generator, 4, 5).detach()
    difference = torch.tensor([0.0, 1.0, -1.0, 0.5, 2.0], dtype=torch.float64)
    return leaf(target + difference), leaf(target)


def integers_at_corners(generator):
    prediction = (indices(generator, 5, 4, 3) - 2).to(torch.float64)
    return leaf(prediction), leaf(torch.zeros(4, 3, dtype=torch.float64))


def binary_logits(generator):
    return normal(generator, 4, 3), indices(generator, 2, 4, 3).to(torch.float64)


def binary_probabilities(generator):
    return leaf(normal(generator, 4, 3).sigmoid()), indices(generator, 2, 4, 3).to(torch.float64)


def three_rows_and_signs(generator):
    signs = indices(generator, 2, 5).to(torch.float64) * 2 - 1
    return normal(generator, 5), normal(generator, 5), signs


def two_embeddings_and_signs(generator):
    signs = indices(generator, 2, 5).to(torch.float64) * 2 - 1
    return normal(generator, 5, 4), normal(generator, 5, 4), signs


def mean_target_and_variance(generator):
    return normal(generator, 4, 3), normal(generator, 4, 3), positive(generator, 4, 3)


def rate_and_count(generator):
    return normal(generator, 4, 3), indices(generator, 5, 4, 3).to(torch.float64)


def sequences_and_labels(generator):
    labels = torch.tensor([[1, 2, 2], [3, 1, 0]])
    return normal(generator, 7, 2, 4), labels, torch.tensor([7, 6]), torch.tensor([3, 2])


def ctc_loss_of_logits(logits, labels, lengths, label_lengths):
    """torch's own gradient of ctc_loss holds for normalised log-probabilities only."""
    return F.ctc_loss(logits.log_softmax(-1), labels, lengths, label_lengths)


FUNCTIONS = family(
    ("mse_loss", F.mse_loss, normals((4, 3), (4, 3))),
    ("mse_loss summed", F.mse_loss, normals((4, 3), (4, 3)), {"reduction": "sum"}),
    ("l1_loss", F.l1_loss, normals((5, 3), (5, 3))),
    ("l1_loss at zero", F.l1_loss, integers_at_corners),
    ("smooth_l1_loss at its corners", F.smooth_l1_loss, integers_at_corners),
    ("smooth_l1_loss unreduced", F.smooth_l1_loss, differences_at_corners, {"reduction": "none"}),
    ("huber_loss at its corners", F.huber_loss, integers_at_corners),
    ("huber_loss with another delta", F.huber_loss, normals((4, 3), (4, 3)), {"delta": 0.4}),
    ("cross_entropy", F.cross_entropy, rows_with_target),
    ("cross_entropy ignoring rows", F.cross_entropy, rows_with_ignored_target),
    ("cross_entropy unreduced", F.cross_entropy, rows_with_ignored_target, {"reduction": "none"}),
    ("cross_entropy smoothed", F.cross_entropy, rows_with_target, {"label_smoothing": 0.2}),
    (
        "cross_entropy smoothed and ignoring rows",
        F.cross_entropy,
        rows_with_ignored_target,
        {"label_smoothing": 0.1},
    ),
    ("cross_entropy with class weights", F.cross_entropy, weighted_rows),
    ("cross_entropy of images", F.cross_entropy, image_with_target),
    ("cross_entropy of probabilities", F.cross_entropy, rows_with_probabilities),
    ("nll_loss", F.nll_loss, log_probabilities_with_target),
    ("nll_loss ignoring a class", F.nll_loss, log_probabilities_with_target, {"ignore_index": 2}),
    ("kl_div", F.kl_div, log_probabilities_of_two, {"reduction": "batchmean"}),
    ("binary_cross_entropy", F.binary_cross_entropy, binary_probabilities),
    (
        "binary_cross_entropy_with_logits",
        F.binary_cross_entropy_with_logits,
        binary_logits,
        {"reduction": "sum"},
    ),
    ("soft_margin_loss", F.soft_margin_loss, binary_logits),
    ("margin_ranking_loss", F.margin_ranking_loss, three_rows_and_signs, {"margin": 0.3}),
    ("hinge_embedding_loss", F.hinge_embedding_loss, lambda g: three_rows_and_signs(g)[1:]),
    ("cosine_embedding_loss", F.cosine_embedding_loss, two_embeddings_and_signs),
    ("triplet_margin_loss", F.triplet_margin_loss, normals((5, 4), (5, 4), (5, 4))),
    ("multi_margin_loss", F.multi_margin_loss, rows_with_target),
    ("gaussian_nll_loss", F.gaussian_nll_loss, mean_target_and_variance),
    ("poisson_nll_loss", F.poisson_nll_loss, rate_and_count),
    ("ctc_loss", ctc_loss_of_logits, sequences_and_labels),
)
