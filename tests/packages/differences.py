"""The gradient of a whole call beside differences of it, for what the audit cannot see."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from tests.packages.used import Used
from torchref.checker.execution.arithmetic import is_floating

DIRECTIONS = 3
STEPS = {torch.float64: 1e-5, torch.float32: 1e-2}


def error_of_the_call(case: Used) -> float | None:
    """The largest error along random directions of all that is learnt, relative to the largest of
    derivative and gradient. In float64, or in float32 with longer steps, whichever is closer: some
    packages compute in float32 whatever they are given. None where neither can be told.
    """
    errors = []
    for dtype in STEPS:
        try:
            errors.append(_error(case, dtype))
        except Exception:  # a package that is written for another dtype raises what it likes
            continue
    return min(errors, default=None)


def outputs_of(call: Any, inputs: Sequence[Any]) -> list[Tensor]:
    """What can be differentiated of what the call returns, its own random numbers the same."""
    torch.manual_seed(0)
    leaves = pytree.tree_leaves(call(*inputs))
    return [y for y in leaves if isinstance(y, Tensor) and y.requires_grad]


def _error(case: Used, dtype: torch.dtype) -> float:
    draws = torch.Generator().manual_seed(0)
    learnt = [_as(x, dtype) for x, needs in case.inputs if needs]
    weights: list[Tensor] = []

    def value(given: Sequence[Tensor]) -> Tensor:
        rest = iter(given)
        inputs = [next(rest) if needs else _as(x, dtype) for x, needs in case.inputs]
        outputs = outputs_of(case.call, inputs)
        weights.extend(_random(y, draws) for y in outputs[len(weights) :])
        return sum((y * w).sum().real.double() for y, w in zip(outputs, weights, strict=True))

    def moved(by: float, directions: Sequence[Tensor]) -> float:
        at = [(x + by * d).requires_grad_() for x, d in zip(learnt, directions, strict=True)]
        return value(at).item()

    leaves = [x.clone().requires_grad_() for x in learnt]
    value(leaves).backward()
    gradients = [torch.zeros_like(x) if x.grad is None else x.grad for x in leaves]
    worst, step = 0.0, STEPS[dtype]
    for _ in range(DIRECTIONS):
        directions = [_random(x, draws) for x in learnt]
        near, far = (moved(s, directions) - moved(-s, directions) for s in (step, 2 * step))
        slope = (8 * near - far) / (12 * step)
        told = sum((g.conj() * d).sum().real for g, d in zip(gradients, directions, strict=True))
        largest = max(abs(slope), sum(g.norm().item() for g in gradients))
        worst = max(
            worst, torch.tensor(abs(slope - float(told)) / largest).nan_to_num(torch.inf).item()
        )
    return worst


def _as(x: Any, dtype: torch.dtype) -> Any:
    if not is_floating(x):
        return x
    return x.detach().to(dtype.to_complex() if x.is_complex() else dtype)


def _random(like: Tensor, draws: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=draws, dtype=like.dtype)
