"""The call: `torchref.compare`."""

from collections.abc import Mapping
from numbers import Real
from typing import Any

from torchref.checker.comparison.context import background
from torchref.checker.comparison.diagnose import causes
from torchref.checker.comparison.given import given_gradients, pairs
from torchref.checker.comparison.pairs import Measured, measure
from torchref.checker.comparison.result import ComparedGradient, Comparison
from torchref.checker.report.findings import Finding
from torchref.errors import InputError


def compare(
    manual: Any,
    reference: Any,
    *,
    values: Mapping[str, Any] | None = None,
    tolerance: float | None = None,
) -> Comparison:
    """Are these gradients the same? Where do they differ, and why?

    manual      gradients computed anywhere: a mapping from names, a sequence, nested ones, or a
                single gradient; of tensors or of whatever numpy reads. Or a Module, whose
                `.grad`s are meant
    reference   what they should be, in any of the same forms. Names are matched where both sides
                have them, else the order is; list them from input to output
    values      what the gradients were computed from, by name: tensors and numbers, as
                `{"x": x, "a1": a1, "batch": 32}`. They name a factor or a slope that is lost
    tolerance   how far gradients that count as close may lie apart, relative to the entry or to
                the tensor's typical entry, whichever is larger. By default the rounding of the
                coarser dtype: 64 roundings, or 4 of a dtype of 16 bits. Raise it for a reference
                that was made by finite differences

    Each name is `exact` (every entry equal, after an exact upcast), `close` or `different`, and
    the comparison is what its worst name is. A gradient that the manual side lacks, or None, counts
    as 0 and as missing. Causes are likely ones, from the list in `torchref.checker.causes.table`;
    several mistakes share a factor. Raises `InputError` for what can not be compared.

    >>> x = torch.tensor([[1.0, 2.0], [0.5, -1.0], [3.0, 0.1]], dtype=torch.float64)
    >>> W = torch.tensor([[0.5], [2.0]], dtype=torch.float64, requires_grad=True)
    >>> (x @ W).square().mean().backward()
    >>> by_hand = 2 * x.T @ (x @ W.detach())
    >>> print(compare({"W": by_hand}, {"W": W.grad}, values={"batch": 3}))
    1 gradient: different
      W  different  15 apart at most, relative 2 at [1, 0]: 21.84 in place of 7.28
      1. constant-factor in W, against the reference
         every entry is 3 times too large: 3 is the batch
         Look at the constants of the derivative: a 2 from a square, a ½, a mean's 1/N, a scale.
    """
    if tolerance is not None and not (isinstance(tolerance, Real) and tolerance >= 0):
        raise InputError(
            "tolerance must be a relative distance of at least 0",
            f"{tolerance!r} arrived",
            "Leave it out for the rounding of the coarser dtype.",
        )
    mine, its = given_gradients(manual, "manual"), given_gradients(reference, "reference")
    both = pairs(mine, its)
    measured = measure(both, tolerance)
    found = causes(measured, background(values, {**mine.parameters, **its.parameters}, both))
    return Comparison(tuple(_row(each, found) for each in measured), tuple(found))


def _row(each: Measured, found: Mapping[Finding, tuple[str, ...]]) -> ComparedGradient:
    mine = tuple(finding for finding, names in found.items() if each.name in names)
    if each.distance is None:
        return ComparedGradient(each.name, each.verdict, findings=mine, note=each.note)
    at = each.distance.element
    return ComparedGradient(
        each.name,
        each.verdict,
        each.distance.absolute,
        each.distance.relative,
        at,
        None if at is None else each.got[at].item(),
        None if at is None else each.true[at].item(),
        mine,
        each.note,
    )
