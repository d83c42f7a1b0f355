"""What is said of an explanation, in order: sections that each form of output draws in its way."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from torchref.explainer.chain.account import Account
from torchref.explainer.chain.factors import Cancellation

MOST_VALUES, FIRST_VALUES = 8, 3  # of a vector: all up to so many, or else so many
MOST_FACTORS = 24  # of a product on one line
MOST_ROWS = 40
MOST_COUNTED = 10**12


class Formula(str):
    """Text that is mathematics."""

    __slots__ = ()


Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """A heading, lines of text or formulas, and a table if it has a header."""

    title: str
    lines: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    rows: Rows = ()


def number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def counted(number: int) -> str:
    """Of a number with more figures than a reader counts the power of ten."""
    return f"{number:,}" if number < MOST_COUNTED else f"{Decimal(number):.2e}"


def times(number: int, other: int) -> str:
    ratio = Decimal(number) / Decimal(other)  # which is more than float64 holds, for many paths
    return f"{ratio:,.1f}" if ratio < MOST_COUNTED else f"{ratio:.2e}"


def parenthesised(value: float) -> str:
    return f"({number(value)})" if value < 0 else number(value)


def listed(values: tuple[float, ...]) -> str:
    shown = values if len(values) <= MOST_VALUES else values[:FIRST_VALUES]
    left_out = len(values) - len(shown)
    return ", ".join(map(number, shown)) + (f", … {left_out} more" if left_out else "")


def product(parts: list[str]) -> str:
    """With the middle left out where it is long."""
    if len(parts) > MOST_FACTORS:
        parts = [*parts[: MOST_FACTORS // 2], "…", *parts[-MOST_FACTORS // 2 :]]
    return " · ".join(parts)


def shortened(rows: Rows) -> Rows:
    """The first and the last rows of a long table, and how many stand between."""
    if len(rows) <= MOST_ROWS:
        return rows
    half = MOST_ROWS // 2
    gap = ("…", f"{len(rows) - 2 * half} more", *("" for _ in rows[0][2:]))
    return (*rows[:half], gap, *rows[-half:])


def sections(found: Account) -> Iterator[Section]:
    yield _heading(found)
    yield forward_pass(found)
    yield _chain(found)
    if found.cancellation:
        yield cancelled(found.cancellation)
    if found.path_count > 1:
        yield _paths(found)
    if len(found.deltas) > 1:
        yield _deltas(found)
    if len(found.contributions) > 1:
        yield _batch(found)
    yield _check(found)
    yield _update(found)
    yield reuse_saves(found)


def _heading(found: Account) -> Section:
    title = f"{found.place} in a network of {'-'.join(map(str, found.sizes))}"
    return Section(title, (Formula(f"{found.parameter} = {number(found.before)}"),))


def forward_pass(found: Account) -> Section:
    title = "The forward pass" + whose(found)
    rows = (
        (kind(q.symbol), kind(q.formula), number(q.value))
        for q in found.forward
        for kind in [str if q.is_said else Formula]
    )
    return Section(title, header=("symbol", "formula", "value"), rows=shortened(tuple(rows)))


def whose(found: Account) -> str:
    return f" of example {found.example}" if len(found.contributions) > 1 else ""


def _chain(found: Account) -> Section:
    symbols = product([factor.symbol for factor in found.factors])
    numbers = product([parenthesised(factor.value) for factor in found.factors])
    examples = len(found.contributions)
    value = number(found.contributions[found.example])
    stored = sum(factor.is_stored for factor in found.factors)
    new = len(found.factors) - stored
    reuse = f"All {new} factors are new."
    if stored:
        others = "the other is" if stored == 1 else "the others are"
        reuse = (
            f"{new} of {new + stored} factors {'is' if new == 1 else 'are'} new; {others} stored."
        )
    rows = (
        (
            Formula(factor.symbol),
            Formula(factor.formula),
            number(factor.value),
            factor.layer,
            Formula(factor.stored_by) if factor.stored_by else "new",
        )
        for factor in found.factors
    )
    lines: tuple[str, ...] = (
        Formula(f"{found.gradient} = {symbols}"),
        Formula(f"{found.gradient} = {numbers} = {value}"),
    )
    if examples > 1:
        lines = (
            Formula(f"{found.gradient} = Σ {symbols}"),
            f"The sum is over the {examples} examples; of example {found.example} the product is",
            Formula(f"{numbers} = {value}"),
        )
    return Section(
        "The chain rule, from the loss back",
        (*lines, reuse),
        ("factor", "formula", "value", "layer", "stored for"),
        shortened(tuple(rows)),
    )


def cancelled(step: Cancellation) -> Section:
    values = f"{number(step.value_before)} = {number(step.value_after)}"
    return Section("What cancels", (Formula(f"{step.before} = {step.after}"), Formula(values)))


def _paths(found: Account) -> Section:
    rows: Rows = tuple(
        (Formula(product([factor.formula for factor in path.factors])), number(path.product))
        for path in found.paths
    )
    left_out = found.path_count - len(found.paths)
    if left_out:
        rows += ((f"… {counted(left_out)} more paths", ""),)
    if found.path_sum is not None:
        rows += (("the sum over all paths", number(found.path_sum)),)
    return Section(
        f"{counted(found.path_count)} paths{whose(found)} lead from the loss to {found.parameter}",
        header=("the factors along a path", "product"),
        rows=rows,
    )


def _deltas(found: Account) -> Section:
    rows = tuple(
        (Formula(delta.symbol), Formula(delta.formula), listed(delta.values))
        for delta in found.deltas
    )
    return Section(
        f"The recursion that replaces the paths{whose(found)}",
        ("Each level needs only the one above it; the first neuron of each stands for all.",),
        ("δ", "formula", "value of each neuron"),
        shortened(rows),
    )


def _batch(found: Account) -> Section:
    products = f"Their products are {listed(found.contributions)}."
    gradient = Formula(f"{found.gradient} = {number(found.evidence.product)}")
    return Section(f"All {len(found.contributions)} examples", (products, gradient))


def _check(found: Account) -> Section:
    evidence = found.evidence
    slope = evidence.difference
    rows = (
        ("the product of the factors", f"{evidence.product:.15g}"),
        ("autograd of torch's own functions", f"{evidence.autograd:.15g}"),
        (f"finite difference, ± {slope.error:.1e}", f"{slope.value:.15g}"),
    )
    title = f"The verdict: {evidence.verdict}"
    lines = (evidence.reason,) if evidence.reason else ()
    return Section(title, lines, ("by", Formula(found.gradient)), rows)


def _update(found: Account) -> Section:
    w, rate = found.parameter, found.notation.rate
    step = f"{number(found.rate)} · {parenthesised(found.evidence.product)}"
    symbols = Formula(f"{w} ← {w} − {rate} {found.gradient}")
    numbers = Formula(f"{w} ← {number(found.before)} − {step} = {found.after:.8g}")
    return Section("The update", (symbols, numbers))


def reuse_saves(found: Account) -> Section:
    counts = found.counts
    rows = tuple(
        (str(depth), counted(n.reused), counted(n.recomputed), times(n.recomputed, n.reused))
        for depth, n in found.growth.items()
    )
    return Section(
        "What the reuse saves",
        (
            f"The gradient of all weights and biases takes {counted(counts.reused)} "
            "multiplications an example with stored derivatives and "
            f"{counted(counts.recomputed)} without: "
            f"{counted(counts.saved)} are saved.",
            "With other numbers of levels of the same width:",
        ),
        ("levels", "with reuse", "without", "times as many"),
        shortened(rows),
    )
