"""The contract of a raw return: one gradient an input, of its shape, dtype and device."""

from collections.abc import Collection, Iterable

import torch
from torch import Tensor

from torchref.checker.execution.raw_returns import Expected, RawReturn
from torchref.checker.execution.run import Run
from torchref.checker.report.findings import Finding

REPAIRED = ("missing-reduction", "wrong-dtype")  # by a sum and by a cast


def breaches(run: Run) -> list[Finding]:
    """What backward returned that autograd repairs, or takes for no gradient, without a word.

    None for what is computed from the arguments, or is one of them, may stand for a gradient of 0:
    the oracles see whether it is. To a leaf that the candidate holds itself nobody else looks.
    """
    return _breaches(run.raw, {id(x) for x in run.tape.arguments}, run.case.label)


def refused_shapes(raw: Iterable[RawReturn], at: str) -> list[Finding]:
    """What autograd refuses with an error: a shape that no sum makes that of the input."""
    return [each for each in _breaches(raw, (), at) if each.cause == "wrong-shape"]


def _breaches(raw: Iterable[RawReturn], arguments: Collection[int], at: str) -> list[Finding]:
    return [
        Finding(
            cause,
            call.name(place),
            None,
            f"{call.function.__name__}.backward {evidence}",
            at,
            hazard=cause in REPAIRED,
        )
        for call in raw
        for place, (expected, gradient) in enumerate(
            zip(call.expected, call.returned, strict=False)
        )
        if expected is not None
        and not (gradient is None and (expected.leaf is None or expected.leaf in arguments))
        for cause, evidence in _breach(expected, gradient)
    ]


def _breach(expected: Expected, gradient: object) -> list[tuple[str, str]]:
    if gradient is None:
        return [("missing-gradient", "returned None for an input that requires grad")]
    if not isinstance(gradient, Tensor):
        return [("raises", f"returned a {type(gradient).__name__} where a tensor belongs")]
    found = []
    shape = tuple(gradient.shape)
    if shape != expected.shape:
        broadcast = _broadcasts(expected.shape, shape)
        cause = "missing-reduction" if broadcast else "wrong-shape"
        found.append((cause, f"returned shape {shape} for an input of shape {expected.shape}"))
    if gradient.dtype != expected.dtype:
        found.append(("wrong-dtype", f"returned {gradient.dtype} for {expected.dtype}"))
    if gradient.device != expected.device:
        found.append(("raises", f"returned {gradient.device} for {expected.device}"))
    return found


def _broadcasts(smaller: tuple[int, ...], larger: tuple[int, ...]) -> bool:
    """Whether `smaller` broadcasts to `larger`: then a sum over the difference was left out."""
    try:
        return torch.broadcast_shapes(smaller, larger) == torch.Size(larger)
    except RuntimeError:
        return False
