"""What may come in: what must hold, what arrived, the likely fix; and what autocast makes of it."""

from contextlib import AbstractContextManager, nullcontext
from itertools import zip_longest
from typing import Any

import torch
from torch import Tensor

from torchref.errors import InputError
from torchref.ops.op import widened


def require(holds: bool, invariant: str, arrived: str, fix: str) -> None:
    if not holds:
        raise InputError(invariant, arrived, fix)


def shape(x: Tensor | None) -> tuple[int, ...]:
    return () if x is None else tuple(x.shape)


def given(**tensors: Tensor | None) -> dict[str, Tensor]:
    """Of arguments that may be left out, those that were not."""
    return {name: x for name, x in tensors.items() if x is not None}


def require_tensor(op: str, name: str, x: Any) -> None:
    if not isinstance(x, Tensor):
        kind = type(x).__name__
        raise InputError(
            f"{op}: {name} must be a tensor",
            "it is None" if x is None else f"a{'n' * (kind[0] in 'aeiou')} {kind} arrived",
            "It has no default." if x is None else "Wrap it: torch.as_tensor(value).",
        )


def require_real_tensors(op: str, **tensors: Tensor) -> None:
    for name, x in tensors.items():
        require_tensor(op, name, x)
        if not x.is_floating_point():
            fix = (
                "Gradients of complex numbers are not written here; pass real and imaginary part."
                if x.is_complex()
                else f"Convert it: {name}.to(torch.get_default_dtype())."
            )
            raise InputError(
                f"{op}: {name} must be a real floating-point tensor", f"it is {x.dtype}", fix
            )


def require_same_kind(op: str, **tensors: Tensor | None) -> None:
    require_alike(op, ("dtype", "device"), **tensors)


def require_same_device(op: str, **tensors: Tensor | None) -> None:
    """Of tensors that may differ in dtype, as class numbers do."""
    require_alike(op, ("device",), **tensors)


def require_alike(op: str, kinds: tuple[str, ...], **tensors: Tensor | None) -> None:
    (first, x), *others = given(**tensors).items()
    for name, other in others:
        for what in kinds:
            mine, its = getattr(x, what), getattr(other, what)
            if mine != its:
                raise InputError(
                    f"{op}: {first} and {name} must have the same {what}",
                    f"they have {mine} and {its}",
                    f"Convert one of them with .to({first}.{what}).",
                )


def broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    return len(shape) <= len(to) and all(
        its in (1, mine) for its, mine in zip(reversed(shape), reversed(to), strict=False)
    )


def require_matching_losses(
    op: str, input: Tensor, target: Tensor, **weights: Tensor | None
) -> None:
    """Losses of single entries: a target for each, and weights that broadcast to them."""
    require_real_tensors(op, input=input, target=target, **given(**weights))
    require(
        input.shape == target.shape,
        f"{op}: input and target must have the same shape",
        f"they have {shape(input)} and {shape(target)}",
        "(N, 1) against (N) would broadcast to (N, N): use target.reshape(input.shape).",
    )
    for name, weight in given(**weights).items():
        require(
            broadcasts(weight.shape, input.shape),
            f"{op}: {name} must be broadcastable to input",
            f"{name} has shape {shape(weight)} and input {shape(input)}",
            "Give it the shape of input, or of its last dimensions.",
        )


def require_dims(op: str, input: Tensor, *dims: int) -> None:
    most = max(input.dim(), 1)  # a number is taken for a row of one
    require(
        len(dims) > 0 and all(-most <= dim < most for dim in dims),
        f"{op}: dim must be a dimension of input",
        f"it is {', '.join(map(str, dims)) or 'none'} and input has shape {shape(input)}",
        "The last one is -1.",
    )
    require(
        len({dim % most for dim in dims}) == len(dims),
        f"{op}: dim must name each dimension once",
        f"it is {dims} and input has shape {shape(input)}",
        "Leave out the second.",
    )


def require_broadcastable(op: str, **batches: tuple[int, ...]) -> None:
    """Of what stands before the dimensions that an op works on."""
    for sizes in zip_longest(*(reversed(batch) for batch in batches.values()), fillvalue=1):
        require(
            len(set(sizes) - {1}) <= 1,
            f"{op}: the dimensions of {' and '.join(batches)} before the last two must broadcast",
            f"they are {' and '.join(str(tuple(batch)) for batch in batches.values())}",
            "They may differ where one of them is 1 or absent.",
        )


def require_not_inplace(op: str, inplace: bool) -> None:
    require(
        not inplace,
        f"{op}: inplace must be False",
        "True arrived",
        "Handwritten ops leave their inputs alone: use the value that is returned.",
    )


def require_no_out(op: str, out: None) -> None:
    require(
        out is None,
        f"{op}: out must be None",
        "a tensor arrived",
        "Handwritten ops make their output: use the value that is returned.",
    )


def require_reduction(op: str, reduction: str, allowed: tuple[str, ...], *deprecated: Any) -> None:
    require(
        all(value is None for value in deprecated),
        f"{op}: size_average and reduce must be left out (torch deprecated them)",
        "a value arrived for one of them",
        'Say reduction="mean", "sum" or "none" by name.',
    )
    require(
        reduction in allowed,
        f"{op}: reduction must be one of {', '.join(allowed)}",
        f"{reduction!r} arrived",
        "Lecture 003 takes half_sum for one example and half_mean for many."
        if "half_sum" in allowed
        else "The lectures' half_sum and half_mean are reductions of torchref's squared_error.",
    )


def fails_somewhere(fine: Tensor) -> bool:
    """Whether an entry is False. Under compile and vmap, where no value can be seen, none is."""
    if torch.compiler.is_compiling():
        return False
    try:
        return not bool(fine.all())
    except RuntimeError:  # vmap refuses control flow that depends on data, meta tensors have none
        return False


def require_numbers(op: str, name: str, index: Tensor, of: Tensor, size: int) -> None:
    """Integers from 0 to size − 1, on the device of what they count: CUDA asserts at others."""
    require_tensor(op, name, index)
    require(
        index.dtype in (torch.int64, torch.int32),
        f"{op}: {name} must hold integers, int64 or int32",
        f"it is {index.dtype}",
        f"Convert it: {name}.long().",
    )
    require(
        index.device == of.device,
        f"{op}: {name} must be on the device of what it counts",
        f"it is on {index.device} and not on {of.device}",
        f"Move it: {name}.to({str(of.device)!r}).",
    )
    inside = (index >= 0) & (index < size)
    if fails_somewhere(inside):
        raise InputError(
            f"{op}: {name} must lie in [0, {size - 1}]",
            f"{index[~inside][0].item()} is among it",
            "Indices count from 0, and none counts from the end.",
        )


def require_unit_interval(op: str, **tensors: Tensor) -> None:
    for name, x in tensors.items():
        if fails_somewhere((x >= 0) & (x <= 1)):  # of NaN neither holds
            raise InputError(
                f"{op}: all entries of {name} must lie in [0, 1]",
                f"they reach from {x.min().item():.4g} to {x.max().item():.4g}",
                "Logits go to binary_cross_entropy_with_logits; labels are 0 and 1.",
            )


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


def to_float32_under_cuda_autocast(x: Tensor) -> Tensor:
    """As torch's softplus under autocast: in float32 on CUDA (float64 stays), elsewhere not."""
    (chosen,) = to_float32_under_autocast(x) if x.is_cuda else (x,)
    return chosen


def each_widened(*tensors: Tensor | None) -> tuple[Any, ...]:
    return tuple(x if x is None else widened(x) for x in tensors)


def cast(dtype: torch.dtype, tensors: tuple[Tensor | None, ...]) -> tuple[Any, ...]:
    """Each floating-point tensor in the given dtype, by a cast that autograd undoes."""
    return tuple(x if x is None or x.dtype == torch.float64 else x.to(dtype) for x in tensors)


def autocast_off(x: Tensor) -> AbstractContextManager[Any]:
    """Inside an op autocast is off: the op's rules see the dtypes chosen here."""
    return torch.autocast(x.device.type, enabled=False) if autocasts(x) else nullcontext()
