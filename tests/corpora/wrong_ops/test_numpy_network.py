"""The page of numpy backpropagation is right, and every mistake shows as announced."""

import numpy as np
import pytest

from . import CAUSES
from .numpy_mistakes import CONTROL, MISTAKES
from .numpy_network import autograd, page


def answers(manual, reference):
    """Per name: exact, close (to single precision) or different."""
    for name, expected in reference.items():
        actual, expected = manual.get(name), expected.numpy()
        if actual is None or actual.shape != expected.shape:
            yield "different"
        elif np.array_equal(actual, expected):
            yield "exact"
        else:
            scale = np.abs(expected).max()
            yield "close" if np.abs(actual - expected).max() < 1e-6 * scale else "different"


def verdict(manual, reference):
    return min(answers(manual, reference), key=["different", "close", "exact"].index)


@pytest.mark.parametrize("seed", range(5))
def test_manual_gradients_are_right(seed):
    manual, reference = page(seed=seed).gradients(), autograd(page(seed=seed))
    for name, expected in reference.items():
        np.testing.assert_allclose(manual[name], expected.numpy(), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("mistake", [*MISTAKES, CONTROL], ids=lambda mistake: mistake.name)
def test_mistake_shows_as_announced(mistake):
    assert verdict(*mistake.gradients()) == mistake.verdict
    assert CAUSES.issuperset(mistake.causes)
    assert bool(mistake.causes) == (mistake.verdict == "different")


def test_every_number_is_there():
    assert {mistake.number for mistake in MISTAKES} == set(range(1, 24))
