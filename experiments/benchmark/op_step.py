"""A step of one op: inputs of the catalogue made large, forward and backward, and its memory."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from experiments.benchmark.peak_memory import peak_bytes
from torchref.catalogue import Entry, Inputs

Step = Callable[[], None]


def enlarged(inputs: Inputs, factor: int) -> Inputs:
    """Every dimension but those of size 1 repeated, in float32."""

    def larger(x: object) -> object:
        if not isinstance(x, Tensor):
            return x
        x = x.float() if x.is_floating_point() else x
        return x.repeat(*(factor if size > 1 else 1 for size in x.shape))

    return tuple(map(larger, inputs))


def step_of(function: Callable[..., Any], inputs: Inputs, device: torch.device) -> Step:
    """Forward and backward at once, for a cotangent of ones."""
    leaves = tuple(_leaf(x, device) for x in inputs)
    wanted = [x for x in leaves if isinstance(x, Tensor) and x.requires_grad]

    def step() -> None:
        y = function(*leaves)
        torch.autograd.grad(y, wanted, torch.ones_like(y))
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    return step


def _leaf(x: object, device: torch.device) -> object:
    if not isinstance(x, Tensor):
        return x
    return x.to(device).requires_grad_(x.is_floating_point())


def inputs_of(entry: Entry, most: int) -> Inputs:
    """The first sample, enlarged up to so many numbers in a tensor, if the op takes it so."""
    first = entry.inputs(seed=0)[0]
    factor = 1
    while factor < most and max(_numbers(first, 2 * factor), default=most) <= most:
        factor *= 2
    large = enlarged(first, factor)
    try:
        for function in (entry.op.call, entry.twin):
            step_of(function, large, torch.device("cpu"))()
    except (RuntimeError, ValueError, IndexError):
        return enlarged(first, 1)
    return large


def _numbers(inputs: Inputs, factor: int) -> list[int]:
    tensors = (x for x in inputs if isinstance(x, Tensor))
    return [math.prod(factor * size for size in x.shape if size > 1) for x in tensors]


def ways_of(entry: Entry, compiled: bool) -> dict[str, Callable[..., Any]]:
    ways = {"handwritten": entry.op.call, "torch": entry.twin}
    if compiled:
        torch.compiler.reset()
        for name in tuple(ways):
            ways[f"{name} compiled"] = torch.compile(ways[name], dynamic=False)
    return ways


def peaks_of(steps: Mapping[str, Callable[[], Step]], device: torch.device) -> dict[str, int]:
    if device.type == "cpu":
        return {way: peak_bytes(make) for way, make in steps.items()}
    peaks = {}
    for way, make in steps.items():
        step = make()
        step()
        torch.cuda.reset_peak_memory_stats(device)
        step()
        peaks[way] = torch.cuda.max_memory_allocated(device)
    return peaks
