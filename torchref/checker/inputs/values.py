"""Other values of the floating-point inputs: zeros, ties, signs, magnitudes, infinities."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Generator, Tensor

from torchref.checker.execution.arithmetic import draw_signed, is_differentiable, typical_size
from torchref.checker.execution.case import Case

Change = tuple[str, dict[int, Any]]
FEW = 4  # of so many entries one is changed


def value_variations(case: Case, generator: Generator) -> Iterator[Change]:
    """For each floating-point tensor, all variations of it alone; then of several together.

    Each draws from one generator: a new one that draws changes what those after it are.
    """
    floating = [i for i, leaf in enumerate(case.leaves) if is_differentiable(leaf)]
    for i in floating:
        x = case.leaves[i]
        if x.numel():
            for label, varied in _varied(x, generator):
                yield f"{label} in {case.names[i]}", {i: varied}
    for place, i in enumerate(floating):
        for j in floating[place + 1 :]:
            x, y = case.leaves[i], case.leaves[j]
            if x.shape == y.shape and x.dtype == y.dtype and x.numel() and not torch.equal(x, y):
                yield f"{case.names[j]} equal to {case.names[i]}", {j: x.clone()}
    if len(floating) > 1:
        yield "all inputs 0", {i: torch.zeros_like(case.leaves[i]) for i in floating}
        yield "all inputs 1", {i: torch.ones_like(case.leaves[i]) for i in floating}


def _varied(x: Tensor, generator: Generator) -> Iterator[tuple[str, Tensor]]:
    if bool((x == x.reshape(-1)[0]).all()):
        yield "values that differ", x + draw_signed(x, generator) * (typical_size(x) or 1.0) / 4
    if x.is_complex():
        yield "zeros", torch.zeros_like(x)
        yield "a zero", _with(x, generator, 0.0)
        return
    unit = typical_size(x) or 1.0
    yield "a zero", _with(x, generator, 0.0)
    yield "two zeros", _with(_with(x, generator, 0.0), generator, 0.0)
    yield "zeros", torch.zeros_like(x)
    if x.dim():
        yield "a zero row", torch.cat([torch.zeros_like(x[:1]), x[1:]])
        yield "equal entries in the first row", torch.cat([x[:1] * 0 + x.reshape(-1)[0], x[1:]])
        yield "equal rows", x[:1].expand(x.shape).clone()
        yield "sorted entries", x.sort(dim=-1).values
        yield "reversed entries", x.flip(-1)
        yield "entries in another order", _shuffled(x, generator)
    if x.dim() > 1 and x.shape[-1] == x.shape[-2] > 1:
        identity = torch.eye(x.shape[-1], dtype=x.dtype, device=x.device)
        yield "a multiple of the identity", (unit * identity).expand(x.shape).clone()
    yield "ties", (x / unit).round() * unit
    yield "equal entries", torch.full_like(x, float(x.reshape(-1)[0]))
    yield "no negative entry", x.abs()
    yield "no positive entry", -x.abs()
    yield "the opposite signs", -x
    yield (
        "entries from 0 to 1",
        torch.rand(x.shape, generator=generator, device="cpu", dtype=torch.float64).to(x),
    )
    yield "larger entries", 8 * x
    yield "large entries", 1e3 * x
    yield "smaller entries", x / 8
    yield "tiny entries", 1e-6 * x
    yield (
        "entries of all magnitudes",
        x
        * 10.0
        ** torch.linspace(-4, 2, x.numel(), dtype=torch.float64, device=x.device)
        .reshape(x.shape)
        .to(x.dtype),
    )
    yield "entries a constant apart from 0", x + 3 * unit
    yield "an entry of −∞", _with(x, generator, -torch.inf)
    yield "an entry of +∞", _with(x, generator, torch.inf)


def _with(x: Tensor, generator: Generator, value: float) -> Tensor:
    """A copy with one entry set, at a place drawn among the first."""
    copy = x.clone(memory_format=torch.contiguous_format)  # of which reshape is a view
    place = int(
        torch.randint(0, max(1, x.numel() // FEW + 1), (), generator=generator, device="cpu")
    )
    copy.reshape(-1)[place] = value
    return copy.reshape(x.shape)


def _shuffled(x: Tensor, generator: Generator) -> Tensor:
    order = torch.randperm(x.numel(), generator=generator, device="cpu").to(x.device)
    return x.reshape(-1)[order].reshape(x.shape)
