"""Functions with the gradients that are claimed of them, as the numeric oracle receives them."""

from collections.abc import Callable

import torch
from torch import Tensor

from tests.checker.given.runs import case_of, normal
from torchref.checker.execution.subject import as_subject
from torchref.checker.oracles.bisection import Objective


class Counted:
    """A function that counts its forward passes."""

    def __init__(self, function: Callable[..., Tensor]) -> None:
        self.function, self.passes = function, 0

    def __call__(self, *inputs: Tensor) -> Tensor:
        self.passes += 1
        return self.function(*inputs)


def objective_of(function: Callable[..., Tensor], *inputs: Tensor, seed: int = 0) -> Objective:
    """The function with the gradients of autograd, weighed by random cotangents."""
    leaves = [x.clone().requires_grad_() for x in inputs]
    y = function(*leaves)
    cotangent = normal(*y.shape, seed=seed + 100)
    claimed = [g.clone() for g in torch.autograd.grad(y, leaves, cotangent)]
    return Objective(as_subject(function), case_of(function, *inputs), {0: cotangent}, claimed)
