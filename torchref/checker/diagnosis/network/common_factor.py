"""The same factor in several gradients: it enters once, where their paths meet."""

import math
from collections.abc import Iterator

from torchref.checker.causes.factor import CONSTANTS, NEAR, origins, proportion
from torchref.checker.causes.mismatch import Hypothesis
from torchref.checker.diagnosis.network.gradients import Page, Pattern
from torchref.checker.execution.arithmetic import SAME
from torchref.checker.execution.numbers import told_apart

TAKEN_OVER = {"constant-factor", "sign-flipped"}
MOST_ORIGINS = 3  # of a factor are told
MOST_PASSES = 100  # of which one forgets to zero the gradients between
ROUND_NORMS = (1.0, 2.0, 2.5, 5.0)  # times a power of ten: norms that one clips to
CLIPPED = 1e-5  # clipping adds 1e-6 to the norm that it divides by
SCALES = {f"the loss scale 2^{k} of mixed precision": 2.0**k for k in range(8, 25)}


def one_factor(page: Page) -> Iterator[Pattern]:
    groups: list[tuple[float, list[str]]] = []
    for name, wrong in page.wrong.items():
        ratio = _ratio(page, name)
        if ratio is None:
            continue
        for common, names in groups:
            if abs(ratio / common - 1) < max(NEAR, wrong.rounding):
                names.append(name)
                break
        else:
            groups.append((ratio, [name]))
    for ratio, names in groups:
        near = max(NEAR, _precision(page, names))
        origin = _known(page, ratio, near) or _guessed(page, ratio, near)
        # One entry is always a multiple of another: only a factor with a meaning says something.
        if all(page.wrong[name].got.numel() == 1 for name in names) and not origin and ratio != -1:
            continue
        yield Pattern(tuple(names), tuple(_suspicions(page, ratio, names, origin, near)))


def times(ratio: float, near: float = NEAR) -> str:
    """`32 times too large`, `5 times too small and of the wrong sign`."""
    size, how = (abs(ratio), "large") if abs(ratio) >= 1 else (1 / abs(ratio), "small")
    size = round(size) if abs(size - round(size)) < near * size else size
    sign = " and of the wrong sign" if ratio < 0 else ""
    return f"{told_apart(size, 1.0)[0]} times too {how}{sign}"


def _ratio(page: Page, name: str) -> float | None:
    if any(hypothesis.cause not in TAKEN_OVER for hypothesis in page.recognised[name][:1]):
        return None
    wrong = page.wrong[name]
    ratio = proportion(wrong.got, wrong.true, wrong.rounding)
    if ratio is None or not math.isfinite(ratio) or abs(ratio - 1) < max(NEAR, wrong.rounding):
        return None
    return ratio


def _precision(page: Page, names: list[str]) -> float:
    """How well a factor is known: better than one entry is, by many of them."""
    roundings = [page.wrong[name].rounding for name in names]
    return min(roundings) / 4 if min(roundings) > SAME else SAME


def _suspicions(
    page: Page, ratio: float, names: list[str], origin: str, near: float
) -> Iterator[Hypothesis]:
    where = _where(page, ratio, names, near)
    if abs(ratio + 1) < near:
        yield Hypothesis("sign-flipped", f"every entry is −1 times the true one{where}")
        return
    told = origin or 'no number in sight; name those that took part, as in values={"batch": 32}'
    yield Hypothesis("constant-factor", f"every entry is {times(ratio, near)}: {told}{where}")
    if set(names) != set(page.names) or _known(page, ratio, near):
        return
    if abs(ratio - round(ratio)) < near * ratio and 1 < ratio <= MOST_PASSES:
        yield Hypothesis(
            "accumulates", f"{round(ratio)} backward passes without zeroing between leave this too"
        )
    elif not origin:
        yield Hypothesis(
            "ignores-grad-output",
            f"so does an incoming gradient of {1 / ratio:.6g} that takes no part",
        )


def _where(page: Page, ratio: float, names: list[str], near: float) -> str:
    """What the names that share the factor, and those that do not, say of its place."""
    if set(names) == set(page.names):
        return ". It is common to all: it enters where they begin, at the loss" if names[1:] else ""
    vectors = all(page.trues[name].dim() < 2 for name in names)
    if not vectors or all(page.trues[name].dim() < 2 for name in page.right):
        return ""
    rows = round(1 / abs(ratio))
    if rows > 1 and abs(1 / ratio - rows) < near * rows:
        return f". The matrices are right: the biases are averaged over {rows} rows, not summed?"
    return ". The matrices are right: look at the sum that makes the biases"


def _known(page: Page, ratio: float, near: float) -> str:
    """What the factor is, of the numbers that were given."""
    simplest = ""
    for number in (abs(ratio), 1 / abs(ratio)):
        constants = set(origins(number, {}, near))
        known = [what for what in origins(number, page.known, near) if what not in constants]
        told = f"{_rounded(number, near):.6g} is {' or '.join(known[:MOST_ORIGINS])}"
        if known and (not simplest or len(told) < len(simplest)):
            simplest = told
    return simplest


def _guessed(page: Page, ratio: float, near: float) -> str:
    """What the factor may be, of constants and of the sizes in sight."""
    size = max(abs(ratio), 1 / abs(ratio))
    guesses = [
        what
        for what, number in {**CONSTANTS, **page.sizes, **SCALES}.items()
        if number not in (0, 1) and abs(size / number - 1) < near
    ]
    guesses += [
        f"n/(n − 1) for n = {what}"
        for what, n in page.sizes.items()
        if n > 2 and abs(size * (n - 1) / n - 1) < near
    ]
    guesses += _clipped_norm(page)
    may_be = f"{_rounded(size, near):.6g} may be {', or '.join(guesses[:MOST_ORIGINS])}"
    return may_be if guesses else ""


def _clipped_norm(page: Page) -> Iterator[str]:
    """Gradients scaled down to a round norm have been clipped to it."""
    for side, gradients in (
        ("manual", [wrong.got for wrong in page.wrong.values()]),
        ("reference", [wrong.true for wrong in page.wrong.values()]),
    ):
        norm = math.sqrt(sum(float(g.abs().square().sum()) for g in gradients))
        single = sum(g.numel() for g in gradients) == 1
        if single or len(gradients) < len(page.names) or not 0 < norm < math.inf:
            continue
        unit = 10.0 ** math.floor(math.log10(norm * (1 + CLIPPED)))
        for mantissa in ROUND_NORMS:
            if abs(norm / (mantissa * unit) - 1) < CLIPPED:
                yield f"the clipping of the {side} gradients: their norm is {mantissa * unit:g}"


def _rounded(number: float, near: float) -> float:
    return round(number) if abs(number - round(number)) < near * abs(number) else number
