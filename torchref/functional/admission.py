"""What may come in: each check says the invariant, what arrived and the likely fix."""

from typing import Any

import torch
from torch import Tensor

from torchref.errors import InputError


def require(holds: bool, invariant: str, arrived: str, fix: str) -> None:
    if not holds:
        raise InputError(invariant, arrived, fix)


def shape(x: Tensor | None) -> tuple[int, ...]:
    return () if x is None else tuple(x.shape)


def given(tensors: dict[str, Tensor | None]) -> dict[str, Tensor]:
    return {name: x for name, x in tensors.items() if x is not None}


def require_real_tensors(op: str, **tensors: Tensor | None) -> None:
    for name, x in given(tensors).items():
        if not isinstance(x, Tensor):
            raise InputError(
                f"{op}: {name} must be a tensor",
                f"a {type(x).__name__} arrived",
                "Wrap it: torch.as_tensor(value).",
            )
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
    present = given(tensors)
    (first, x), *others = present.items()
    for name, other in others:
        for what in ("dtype", "device"):
            mine, its = getattr(x, what), getattr(other, what)
            if mine != its:
                raise InputError(
                    f"{op}: {first} and {name} must have the same {what}",
                    f"they have {mine} and {its}",
                    f"Convert one of them with .to({first}.{what}).",
                )


def require_matching_losses(
    op: str, input: Tensor, target: Tensor, *weights: Tensor | None
) -> None:
    names = ("weight", "pos_weight")
    named = dict(zip(names, weights, strict=False))
    require_real_tensors(op, input=input, target=target, **named)
    require(
        input.shape == target.shape,
        f"{op}: input and target must have the same shape",
        f"they have {shape(input)} and {shape(target)}",
        "(N, 1) against (N) would broadcast to (N, N): use target.reshape(input.shape).",
    )
    for name, weight in given(named).items():
        fits = len(weight.shape) <= input.dim() and all(
            its in (1, mine)
            for its, mine in zip(reversed(weight.shape), reversed(input.shape), strict=False)
        )
        require(
            fits,
            f"{op}: {name} must be broadcastable to input",
            f"{name} has shape {shape(weight)} and input {shape(input)}",
            "Give it the shape of input, or of its last dimensions.",
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
        "The lectures' half_sum and half_mean are reductions of torchref's squared_error.",
    )


def require_unit_interval(op: str, **tensors: Tensor) -> None:
    """Looks at values, so it is left out where values cannot be looked at: compile and vmap."""
    if torch.compiler.is_compiling():
        return
    for name, x in tensors.items():
        try:
            inside = bool(((x >= 0) & (x <= 1)).all())  # NaN is not inside either
        except RuntimeError:  # vmap refuses control flow that depends on data
            return
        if not inside:
            raise InputError(
                f"{op}: all entries of {name} must lie in [0, 1]",
                f"they reach from {x.min().item():.4g} to {x.max().item():.4g}",
                "Logits go to binary_cross_entropy_with_logits; labels are 0 and 1.",
            )
