"""The gradient checkers that are held side by side: each says whether it notices something."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function, gradcheck, gradgradcheck
from torch.nn import Module

from experiments.benchmark.time_limit import TooLongError, time_limit
from torchref import crosscheck
from torchref.checker.execution.subject import as_subject

Inputs = tuple[Any, ...]
MOST_SECONDS = 20.0  # of one check by a peer; crosscheck takes none nearly so long


def differentiable(inputs: Inputs) -> list[int]:
    """The places of the inputs whose gradient is wanted."""
    marked = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
    floating = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.is_floating_point()]
    return marked or floating


def called(candidate: Any) -> Callable[..., Any]:
    """A Function is called by its apply."""
    is_function = isinstance(candidate, type) and issubclass(candidate, Function)
    return candidate.apply if is_function else candidate


def by_crosscheck(candidate: Any, reference: Any, inputs: Inputs) -> tuple[bool, str | None]:
    """Whether it is found wrong, and the cause named first."""
    names = as_subject(candidate).names
    marked = any(isinstance(x, Tensor) and x.requires_grad for x in inputs)
    own = dict(candidate.named_parameters()) if isinstance(candidate, Module) else {}
    wrt = [*(names[i] for i in differentiable(inputs)), *own] if marked and names else None
    report = crosscheck(candidate, reference, inputs, wrt=wrt, order=2)
    return report.verdict == "wrong", report.findings[0].cause if report.findings else None


def by_gradcheck(check: Callable[..., bool], **options: Any) -> Callable[..., bool]:
    def noticed(candidate: Any, _: Any, inputs: Inputs) -> bool:
        places = differentiable(inputs)
        mine = [
            x.detach().clone().requires_grad_(i in places) if isinstance(x, Tensor) else x
            for i, x in enumerate(inputs)
        ]
        try:
            with time_limit(MOST_SECONDS):
                check(called(candidate), mine, **options)
        except TooLongError:  # thousands of entries, and one evaluation or two for each of them
            return False
        except Exception:  # it tells what is wrong by raising, and a candidate may raise too
            return True
        return False

    return noticed


def by_sum_backward(candidate: Any, reference: Any, inputs: Inputs) -> bool:
    """The comparison in most tests: float32, a cotangent of ones, allclose."""
    gradients = []
    for function in (called(candidate), reference):
        places = differentiable(inputs)
        mine = [
            x.detach().float().requires_grad_(i in places)
            if isinstance(x, Tensor) and x.is_floating_point()
            else x
            for i, x in enumerate(inputs)
        ]
        if isinstance(function, Module):
            function = deepcopy(function).float()
        try:
            outputs = function(*mine)
            y = outputs[0] if isinstance(outputs, tuple) else outputs
            (y.real if y.is_complex() else y).sum().backward()
        except Exception:  # a test that raises is a test that fails
            return True
        gradients.append([mine[i].grad for i in places])
    return not all(
        (a is None and b is None)
        or (a is not None and b is not None and torch.allclose(a, b, rtol=1e-4, atol=1e-5))
        for a, b in zip(*gradients, strict=True)
    )


PEERS: dict[str, Callable[[Any, Any, Inputs], bool]] = {
    "gradcheck, slow": by_gradcheck(gradcheck),
    "gradcheck, fast": by_gradcheck(gradcheck, fast_mode=True),
    "gradgradcheck": by_gradcheck(gradgradcheck),
    "sum().backward()": by_sum_backward,
}
