"""Rows that functions of both corpora get, right and wrong ones: logits with targets, say."""

import torch

from tests.random_inputs import indices, leaf, normal

IGNORED = -100  # the number of a class that cross-entropy leaves out


def rows_with_target(generator):
    return normal(generator, 6, 4), indices(generator, 4, 6)


def rows_with_ignored_target(generator):
    logits, target = rows_with_target(generator)
    target[1] = target[4] = IGNORED
    return logits, target


def weighted_rows(generator):
    return *rows_with_target(generator), torch.tensor([0.5, 2.0, 1.5, 0.25], dtype=torch.float64)


def constant_rows(_generator):
    return (leaf(torch.full((4, 3), 1.25, dtype=torch.float64)),)
