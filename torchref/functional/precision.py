"""What autocast makes of the inputs of an op, and that it leaves the op itself alone."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor


def autocasts(*tensors: Tensor | None) -> bool:
    """Whether autocast is on for the device of the tensors; the meta device has none."""
    device = next(x.device.type for x in tensors if x is not None)
    # The Dynamo of torch 2.11 cannot trace `is_autocast_available`.
    known = torch.compiler.is_dynamo_compiling() or torch.amp.is_autocast_available(device)
    return known and torch.is_autocast_enabled(device)


def to_autocast_dtype(*tensors: Tensor | None) -> tuple[Any, ...]:
    """As torch's matrix products under autocast: in its lower dtype (float64 stays)."""
    if not autocasts(*tensors):
        return tensors
    device = next(x.device.type for x in tensors if x is not None)
    return cast(torch.get_autocast_dtype(device), tensors)


def to_float32_under_autocast(*tensors: Tensor | None) -> tuple[Any, ...]:
    """As torch's losses under autocast: in float32 (float64 stays)."""
    return cast(torch.float32, tensors) if autocasts(*tensors) else tensors


def cast(dtype: torch.dtype, tensors: tuple[Tensor | None, ...]) -> tuple[Any, ...]:
    """Each floating-point tensor in the given dtype, by a cast that autograd undoes."""
    return tuple(x if x is None or x.dtype == torch.float64 else x.to(dtype) for x in tensors)


def autocast_off(x: Tensor) -> AbstractContextManager[Any]:
    """Inside an op autocast is off: the op's rules see the dtypes chosen here."""
    return torch.autocast(x.device.type, enabled=False) if autocasts(x) else nullcontext()
