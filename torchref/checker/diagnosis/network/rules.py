"""What the gradients of one network show together and no single gradient shows."""

import math
from collections.abc import Iterator, Sequence

import torch

from torchref.checker.causes.factor import proportion
from torchref.checker.causes.mismatch import Hypothesis
from torchref.checker.diagnosis.network.common_factor import one_factor
from torchref.checker.diagnosis.network.gradients import Page, Pattern, Rule
from torchref.checker.diagnosis.network.layers import (
    biases_alone,
    earlier_layers,
    every_layer,
    own_input,
)
from torchref.checker.execution.arithmetic import largest_size, same

LEAST_LIKENESS = 1e-2  # of a difference to what it is said to be, where few digits are left of it


def not_finite(page: Page) -> Iterator[Pattern]:
    """NaN spreads from where backward begins: the gradient nearest to the loss shows the place."""
    names = [name for name in page.wrong if not bool(torch.isfinite(page.wrong[name].got).all())]
    if len(names) < 2:
        return
    bad = ~torch.isfinite(page.wrong[names[-1]].got)
    where = ", ".join(str(list(map(int, place))) for place in bad.nonzero()[:3])
    evidence = (
        f"{len(names)} of {len(page.names)} gradients hold NaN or infinity; in {names[-1]}, the "
        f"last of them, {int(bad.sum())} of {bad.numel()} entries do, first at {where}"
    )
    yield Pattern(tuple(names), (Hypothesis("not-finite", evidence),))


def exchanged(page: Page) -> Iterator[Pattern]:
    """Each gradient is right for another name: two are swapped, or a list is in another order."""
    owners: dict[str, str] = {}
    largest = {
        name: (largest_size(got), largest_size(true)) for name, (got, true) in page.claims.items()
    }
    for name, (got, _) in page.claims.items():
        for other, (_, true) in page.claims.items():
            # Far cheaper than all entries, and it rules out almost all pairs.
            alike = math.isclose(largest[name][0], largest[other][1], rel_tol=2 * page.rounding)
            if other != name and alike and same(got, true, page.rounding):
                owners[name] = other
                break
    if len(owners) > 1 and set(owners) == set(owners.values()):
        told = ", ".join(f"{name} holds that of {other}" for name, other in owners.items())
        yield Pattern(tuple(owners), (Hypothesis("swapped-arguments", told),))


def penalty(page: Page) -> Iterator[Pattern]:
    """All differences are one multiple of the parameters: a penalty on them on one side only."""
    found: dict[str, float] = {}
    for name in page.wrong:
        wrong, parameter = page.wrong[name], page.parameters.get(name)
        if parameter is not None and parameter.shape == wrong.got.shape and wrong.got.numel() > 1:
            rest = wrong.true - wrong.got
            lost = largest_size(wrong.true) / (largest_size(rest) or 1.0)  # in the subtraction
            near = min(wrong.rounding * max(1.0, lost), LEAST_LIKENESS)
            share = proportion(rest, parameter.to(rest.dtype), near)
            if share is not None:
                found[name] = share
    if not found:
        return
    share = next(iter(found.values()))
    if all(abs(other / share - 1) < 1e-3 for other in found.values()):
        side = "reference" if share > 0 else "manual"
        evidence = (
            f"the {side} gradient alone has {abs(share):.3g} times the parameter itself added to "
            "it, as weight decay does"
        )
        yield Pattern(tuple(found), (Hypothesis("missing-term", evidence),))


ACROSS: Sequence[Rule] = (
    not_finite,
    exchanged,
    one_factor,
    penalty,
    own_input,
    biases_alone,
    earlier_layers,
    every_layer,
)
