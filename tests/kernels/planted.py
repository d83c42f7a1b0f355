"""Errors planted into a kernel: one argument's gradient is changed before it is returned."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor
from torch.autograd import Function

from tests.kernels.kernel import Kernel
from torchref import Report

DRAWS = 4
Change = Callable[[Tensor, int], Tensor]


def scaled(gradient: Tensor, _: int) -> Tensor:
    return gradient * 1.03


def zeros(gradient: Tensor, _: int) -> Tensor:
    return torch.zeros_like(gradient)


def one_entry(factor: float) -> Change:
    def change(gradient: Tensor, entry: int) -> Tensor:
        changed = gradient.clone(memory_format=torch.contiguous_format)
        if entry < changed.numel():  # of a variation's smaller input there may be none
            changed.view(-1)[entry] *= factor
        return changed

    return change


ERRORS: dict[torch.dtype, dict[str, Change]] = {
    torch.float32: {
        "times 1.03": scaled,
        "one entry lost": one_entry(0.0),
        "one entry 1 % wrong": one_entry(1.01),
        "zeros": zeros,
    },
    torch.bfloat16: {
        "times 1.03": scaled,
        "one entry lost": one_entry(0.0),
        "one entry 10 % wrong": one_entry(1.1),  # 1 % is little more than its rounding
        "zeros": zeros,
    },
}


def planted(kernel: Kernel, dtype: torch.dtype) -> list[tuple[str, str]]:
    """Argument and error: each error at one of the arguments, in turn."""
    arguments = list(kernel.differentiable())
    return [(arguments[i % len(arguments)], error) for i, error in enumerate(ERRORS[dtype])]


def names(report: Report, argument: str) -> bool:
    """Whether a finding concerns the argument: `k` is not named by one on `ka`."""
    return any(argument in (finding.argument or "").split(", ") for finding in report.findings)


def with_error(kernel: Kernel, argument: str, error: str, dtype: torch.dtype) -> type[Function]:
    """The kernel's Function, but that the gradient of the argument is changed."""
    place, entry = kernel.differentiable()[argument], typical_entry(kernel, argument, dtype)
    change = ERRORS[dtype][error]

    class Planted(kernel.function):  # type: ignore[name-defined, misc]  # a base found at run time
        @staticmethod
        def backward(ctx: Any, *grad_outputs: Any) -> Any:
            returned = kernel.function.backward(ctx, *grad_outputs)
            gradients = list(returned) if isinstance(returned, tuple) else [returned]
            if gradients[place] is not None:
                gradients[place] = change(gradients[place], entry)
            return tuple(gradients) if isinstance(returned, tuple) else gradients[0]

    Planted.__name__ = Planted.__qualname__ = kernel.function.__name__
    return Planted


def typical_entry(kernel: Kernel, argument: str, dtype: torch.dtype) -> int:
    """Of the entries that have a gradient, the one of median size: no error there is no error."""
    inputs = kernel.drawn(dtype, 0)
    wrt = kernel.arguments().index(argument)
    doubled = [x.double() if isinstance(x, Tensor) and x.is_floating_point() else x for x in inputs]
    x = doubled[wrt].requires_grad_()
    returned = kernel.reference(*doubled)
    outputs = [
        y for y in (returned if isinstance(returned, tuple) else (returned,)) if y.requires_grad
    ]
    generator, size = Generator().manual_seed(0), torch.zeros_like(x)
    for _ in range(DRAWS):
        cotangents = [torch.randn(y.shape, generator=generator).to(y) for y in outputs]
        (gradient,) = torch.autograd.grad(outputs, x, cotangents, retain_graph=True)
        size += gradient.square()
    order = size.flatten().argsort()
    nonzero = order[size.flatten()[order] > 0]
    return int(nonzero[len(nonzero) // 2])
