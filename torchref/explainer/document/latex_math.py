"""Formulas as LaTeX, in the part of it that matplotlib's mathtext draws too."""

import re

LETTERS = {
    "ŷ": r"\hat{y}",
    "σ": r"\sigma ",
    "δ": r"\delta ",
    "α": r"\alpha ",
    "η": r"\eta ",
    "Σ": r"\sum ",
    "·": r"\cdot ",
    "−": "-",
    "∂": r"\partial ",
    "←": r"\leftarrow ",
    "→": r"\to ",
    "≈": r"\approx ",
    "⇒": r"\Rightarrow ",
    "′": "'",
    "…": r"\ldots ",
}
LOW = dict(zip("₀₁₂₃₄₅₆₇₈₉ₖ‚", "0123456789k,", strict=True))
HIGH = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾", "0123456789()", strict=True))
LOWERED, RAISED = (re.compile(f"[{''.join(letters)}]+") for letters in (LOW, HIGH))
POWER_OF_TEN = re.compile(r"(?<=\d)e(-?)[+0]*(\d+)")
BETWEEN = " ·,=+−<>[]"  # what ends a factor on either side of a fraction's bar
OPENS, CLOSES = "(", ")"


def latex(formula: str) -> str:
    r"""A formula as the explanations write it, in LaTeX.

    >>> latex("∂L/∂w⁽¹⁾₁₂ = −(y − ŷ)/(ŷ(1 − ŷ))")
    '\\frac{\\partial L}{\\partial w^{(1)}_{12}} = -\\frac{y - \\hat{y}}{\\hat{y}(1 - \\hat{y})}'
    """
    bar = formula.find("/")
    if bar < 0:
        return _letters(formula)
    start, end = _start(formula, bar), _end(formula, bar)
    top, bottom = (_bare(part) for part in (formula[start:bar], formula[bar + 1 : end]))
    fraction = rf"\frac{{{latex(top)}}}{{{latex(bottom)}}}"
    return _letters(formula[:start]) + fraction + latex(formula[end:])


def _start(formula: str, bar: int) -> int:
    """Where the numerator before the bar begins: letters, or a pair of parentheses."""
    at, depth = bar, 0
    while at > 0:
        character = formula[at - 1]
        if depth == 0 and (character in BETWEEN or character == OPENS):
            break
        depth += (character == CLOSES) - (character == OPENS)
        at -= 1
    return at


def _end(formula: str, bar: int) -> int:
    """Where the denominator ends: after its letters, or after its pair of parentheses."""
    at, depth = bar + 1, 0
    while at < len(formula):
        character = formula[at]
        if depth == 0 and (character in BETWEEN or character == CLOSES):
            break
        depth += (character == OPENS) - (character == CLOSES)
        at += 1
        if depth == 0 and character == CLOSES:
            break
    return at


def _bare(part: str) -> str:
    """Without the parentheses that the bar of a fraction makes needless."""
    return part[1:-1] if part.startswith(OPENS) and part.endswith(CLOSES) else part


def _letters(formula: str) -> str:
    formula = POWER_OF_TEN.sub(r" · 10^{\1\2}", formula)
    formula = RAISED.sub(lambda run: f"^{{{''.join(HIGH[c] for c in run[0])}}}", formula)
    formula = LOWERED.sub(lambda run: f"_{{{''.join(LOW[c] for c in run[0])}}}", formula)
    return "".join(LETTERS.get(character, character) for character in formula)
