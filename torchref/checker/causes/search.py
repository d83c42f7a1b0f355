"""The order in which causes are thought of: the most specific that fits comes first."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from torchref.checker.causes.additive_term import forgotten_term
from torchref.checker.causes.factor import absent, constant_factor, digits, not_finite
from torchref.checker.causes.factor_by_slice import (
    factor_in_sight,
    factor_of_each_slice,
)
from torchref.checker.causes.local_derivative import (
    missing_local_derivative,
    missing_mask,
)
from torchref.checker.causes.mismatch import Hypothesis, Mismatch
from torchref.checker.causes.permutation import in_another_order, shuffled
from torchref.checker.causes.placement import conjugated, swapped, transposed
from torchref.checker.causes.subset import all_but_some, scattered, wrong_elements
from torchref.checker.causes.terms import missing_term, unexplained

RULES: tuple[Callable[[Mismatch], Iterator[Hypothesis]], ...] = (
    absent,
    digits,
    swapped,
    conjugated,
    constant_factor,
    transposed,
    in_another_order,
    missing_mask,
    factor_in_sight,
    factor_of_each_slice,
    wrong_elements,
    missing_local_derivative,
)
VAGUER = (  # each fits much that has a better name
    forgotten_term,
    missing_term,
    shuffled,
)
FALLBACKS = (all_but_some, scattered, unexplained)


def recognised(wrong: Mismatch) -> list[Hypothesis]:
    """All causes whose own mark a wrong gradient bears, likelier first; there may be none."""
    found = list(not_finite(wrong)) or [hypothesis for rule in RULES for hypothesis in rule(wrong)]
    for rule in () if found else VAGUER:
        if vague := [replace(hypothesis, vague=True) for hypothesis in rule(wrong)]:
            return vague
    return found


def hypotheses(wrong: Mismatch) -> list[Hypothesis]:
    """All causes that fit a wrong gradient, likelier first; never none."""
    return recognised(wrong) or [described(wrong)]


def described(wrong: Mismatch) -> Hypothesis:
    """What can be said of a wrong gradient that bears no mark."""
    differ = Hypothesis("wrong-elements", f"{int(wrong.wrong.sum())} entries differ")
    return next((hypothesis for rule in FALLBACKS for hypothesis in rule(wrong)), differ)
