import math

import torch

from torchref.training.live_check import relative_difference


def test_it_is_the_largest_over_the_parameters() -> None:
    one = {"w": torch.tensor([[4.0, 1.0]]), "b": torch.tensor([0.0])}
    other = {"w": torch.tensor([[5.0, 1.0]]), "b": torch.tensor([0.0])}
    assert relative_difference(one, other) == 1 / 5
    assert relative_difference(one | {"b": torch.tensor([0.1])}, other) == math.inf
    assert relative_difference(one, one) == 0


def test_a_gradient_that_is_missing_is_infinitely_wrong() -> None:
    one = {"w": torch.ones(2)}
    assert relative_difference(one, one | {"b": torch.ones(1)}) == math.inf
