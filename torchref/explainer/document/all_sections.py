"""What is said of every derivative of a network, in order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from torchref.explainer.chain.account import Account
from torchref.explainer.chain.factors import Factor
from torchref.explainer.document.sections import (
    Formula,
    Section,
    cancelled,
    forward_pass,
    number,
    parenthesised,
    product,
    reuse_saves,
    whose,
)

MOST_NAMED = 3  # derivatives that reuse a factor; of more their number is said


def all_sections(iterations: Sequence[Sequence[Account]]) -> Iterator[Section]:
    """`iterations` are the derivatives of each step of the descent, the last level first."""
    found = iterations[0]
    yield _heading(found)
    yield forward_pass(found[0])
    yield _derivatives(found)
    yield _factors(found)
    if found[0].cancellation:
        yield cancelled(found[0].cancellation)
    yield _check(iterations)
    yield _updates(found)
    if len(iterations) > 1:
        yield _iterations(iterations)
    yield reuse_saves(found[0])


def _heading(found: Sequence[Account]) -> Section:
    sizes = found[0].sizes
    biases = sum(each.place.i is None for each in found)
    what = f"{len(found) - biases} weights and {biases} biases"
    return Section(
        f"All {len(found)} derivatives of a network of {'-'.join(map(str, sizes))}", (what,)
    )


def _derivatives(found: Sequence[Account]) -> Section:
    rows = tuple(
        (
            Formula(each.gradient),
            Formula(product([factor.symbol for factor in each.factors])),
            number(each.evidence.product),
            f"{sum(not factor.is_stored for factor in each.factors)} of {len(each.factors)}",
        )
        for each in found
    )
    examples = len(found[0].contributions)
    lines = (f"Each value is the sum of the products of all {examples} examples.",)
    return Section(
        "Every derivative, from the loss back",
        lines if examples > 1 else (),
        ("derivative", "product of", "value", "new factors"),
        rows,
    )


@dataclass
class Use:
    """A factor, and the derivatives that it is multiplied into, the first of which computes it."""

    factor: Factor
    by: list[str] = field(default_factory=list)

    @property
    def reused(self) -> str:
        _, *others = self.by
        return ", ".join(others) if len(others) <= MOST_NAMED else f"{len(others)} others"


def uses(found: Sequence[Account]) -> list[Use]:
    """Every factor once, in the order in which they are computed."""
    by_symbol: dict[tuple[str, str], Use] = {}
    for each in found:
        for factor in each.factors:
            use = by_symbol.setdefault((factor.symbol, factor.layer), Use(factor))
            use.by.append(each.gradient)
    return [*by_symbol.values()]


def _factors(found: Sequence[Account]) -> Section:
    rows = tuple(
        (
            Formula(use.factor.symbol),
            Formula(use.factor.formula),
            number(use.factor.value),
            Formula(use.by[0]),
            use.reused if use.reused.endswith("others") else Formula(use.reused),
        )
        for use in uses(found)
    )
    return Section(
        f"What is stored{whose(found[0])}, and reused",
        (),
        ("factor", "formula", "value", "computed for", "reused for"),
        rows,
    )


def verdict_of(found: Sequence[Account]) -> str:
    """Wrong if one is; right if all are."""
    verdicts = {each.verdict for each in found}
    return next(each for each in ("wrong", "cannot tell", "right") if each in verdicts)


def _check(iterations: Sequence[Sequence[Account]]) -> Section:
    found, every = iterations[0], [each for step in iterations for each in step]
    rows = tuple(
        (
            Formula(each.gradient),
            f"{each.evidence.product:.10g}",
            f"{each.evidence.autograd:.10g}",
            f"{each.evidence.difference.value:.10g}",
            each.verdict,
        )
        for each in found
    )
    lines = [*dict.fromkeys(each.evidence.reason for each in every if each.evidence.reason)]
    if len(iterations) > 1:
        lines.append(f"It is on all {len(iterations)} iterations; the first is shown.")
    return Section(
        f"The verdict: {verdict_of(every)}",
        tuple(lines),
        ("derivative", "product", "autograd", "finite difference", "verdict"),
        rows,
    )


def _updates(found: Sequence[Account]) -> Section:
    rate = found[0].notation.rate
    rows = tuple(
        (
            Formula(f"{each.parameter} ← {each.parameter} − {rate} {each.gradient}"),
            Formula(
                f"{number(each.before)} − {number(each.rate)} · "
                f"{parenthesised(each.evidence.product)}"
            ),
            f"{each.after:.8g}",
        )
        for each in found
    )
    return Section("The updates", (), ("update", "in numbers", "after"), rows)


def _iterations(iterations: Sequence[Sequence[Account]]) -> Section:
    """Every number of each step of the descent, side by side."""
    first, last = iterations[0], iterations[-1]
    rows = [
        (
            Formula(each.parameter),
            *(number(step[n].before) for step in iterations),
            number(each.after),
        )
        for n, each in enumerate(last)
    ]
    for n, quantity in enumerate(first[0].forward):
        if quantity.formula or quantity.symbol.startswith(first[0].notation.loss):
            values = (number(step[0].forward[n].value) for step in iterations)
            symbol = quantity.symbol if quantity.is_said else Formula(quantity.symbol)
            rows.append((symbol, *values, ""))
    for n, each in enumerate(first):
        values = (number(step[n].evidence.product) for step in iterations)
        rows.append((Formula(each.gradient), *values, ""))
    steps = (f"iteration {n}" for n in range(1, len(iterations) + 1))
    return Section(
        f"{len(iterations)} iterations of the descent", (), ("", *steps, "after"), tuple(rows)
    )
