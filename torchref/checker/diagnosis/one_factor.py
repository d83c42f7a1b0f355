"""The same factor in several gradients: it enters once, where their paths meet."""

import math
from collections.abc import Iterator

from torchref.checker.diagnosis.page import Page, Pattern
from torchref.checker.diagnosis.proportion import NEAR, origins, proportion
from torchref.checker.diagnosis.suspicion import SAME, Suspicion

TAKEN_OVER = {"constant-factor", "sign-flipped"}
MOST_ORIGINS = 3
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
        told = list(_origins(page, ratio, near))
        # One entry is always a multiple of another: only a factor with a meaning says something.
        if all(page.wrong[name].got.numel() == 1 for name in names) and not told and ratio != -1:
            continue
        yield Pattern(tuple(names), tuple(_suspicions(page, ratio, names, told, near)))


def times(ratio: float, near: float = NEAR) -> str:
    """`32 times too large`, `5 times too small and of the wrong sign`."""
    size, how = (abs(ratio), "large") if abs(ratio) >= 1 else (1 / abs(ratio), "small")
    size = round(size) if abs(size - round(size)) < near * size else size
    sign = " and of the wrong sign" if ratio < 0 else ""
    return f"{size:.6g} times too {how}{sign}"


def _ratio(page: Page, name: str) -> float | None:
    if any(suspicion.cause not in TAKEN_OVER for suspicion in page.recognised[name][:1]):
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
    page: Page, ratio: float, names: list[str], told: list[str], near: float
) -> Iterator[Suspicion]:
    common = "every entry" if len(names) == 1 else f"every entry of all {len(names)}"
    where = _where(page, ratio, names, near)
    if abs(ratio + 1) < near:
        yield Suspicion("sign-flipped", f"{common} is −1 times the true one{where}")
        return
    origin = "; ".join(told) or (
        "no number that is seen here; name those that took part, as in values={'batch': 32}, "
        "to find it"
    )
    yield Suspicion("constant-factor", f"{common} is {times(ratio, near)}: {origin}{where}")
    if set(names) != set(page.names):
        return
    if abs(ratio - round(ratio)) < near * ratio and ratio > 1:
        yield Suspicion(
            "accumulates", f"{round(ratio)} backward passes without zeroing between leave this too"
        )
    elif not told:
        yield Suspicion(
            "ignores-grad-output",
            f"so does an incoming gradient of {1 / ratio:.6g} that takes no part",
        )


def _where(page: Page, ratio: float, names: list[str], near: float) -> str:
    """What the names that share the factor, and those that do not, say of its place."""
    if set(names) == set(page.names):
        return ". The factor is common to all: it enters at the loss" if len(names) > 1 else ""
    vectors = all(page.trues[name].dim() < 2 for name in names)
    if not vectors or all(page.trues[name].dim() < 2 for name in page.right):
        return ""
    rows = round(1 / abs(ratio))
    if rows > 1 and abs(1 / ratio - rows) < near * rows:
        return f". The matrices are right: the biases are averaged over {rows} rows, not summed?"
    return ". The matrices are right: look at the sum that makes the biases"


def _origins(page: Page, ratio: float, near: float) -> Iterator[str]:
    number = f"{_rounded(ratio, near):.6g}"
    known = list(origins(ratio, page.known, near))
    certain = [what for what in known if any(name in what for name in page.known)]
    if certain:
        yield f"{number} is {' or '.join(certain[:MOST_ORIGINS])}"
        return
    size = max(abs(ratio), 1 / abs(ratio))
    guesses = list(known)
    for what, value in {**page.sizes, **SCALES}.items():
        if value not in (0, 1) and abs(size / value - 1) < near:
            guesses.append(what)
    guesses += _clipped_norm(page)
    if guesses:
        shown = f"{_rounded(size, near):.6g}" if guesses != known else number
        yield f"{shown} may be {', or '.join(guesses[:MOST_ORIGINS])}"


def _clipped_norm(page: Page) -> Iterator[str]:
    """Gradients scaled down to a round norm have been clipped to it."""
    for side, gradients in (
        ("manual", [wrong.got for wrong in page.wrong.values()]),
        ("reference", [wrong.true for wrong in page.wrong.values()]),
    ):
        norm = math.sqrt(sum(float(g.abs().square().sum()) for g in gradients))
        if len(gradients) < len(page.names) or not 0 < norm < math.inf:
            continue
        unit = 10.0 ** math.floor(math.log10(norm * (1 + CLIPPED)))
        for mantissa in ROUND_NORMS:
            if abs(norm / (mantissa * unit) - 1) < CLIPPED:
                yield f"the clipping of the {side} gradients: their norm is {mantissa * unit:g}"


def _rounded(number: float, near: float) -> float:
    return round(number) if abs(number - round(number)) < near * abs(number) else number
