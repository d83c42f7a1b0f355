"""The order in which causes are thought of: the most specific that fits comes first."""

from collections.abc import Callable, Iterator

from torchref.checker.diagnosis.elements import scattered, wrong_elements
from torchref.checker.diagnosis.forgotten import forgotten_term
from torchref.checker.diagnosis.local_derivative import missing_local_derivative, missing_mask
from torchref.checker.diagnosis.order import in_another_order, shuffled
from torchref.checker.diagnosis.placement import conjugated, swapped, transposed
from torchref.checker.diagnosis.proportion import absent, constant_factor, digits, not_finite
from torchref.checker.diagnosis.suspicion import Suspicion, Wrong
from torchref.checker.diagnosis.terms import missing_term, unexplained

RULES: tuple[Callable[[Wrong], Iterator[Suspicion]], ...] = (
    absent,
    digits,
    swapped,
    conjugated,
    constant_factor,
    transposed,
    in_another_order,
    missing_mask,
    wrong_elements,
    missing_local_derivative,
)
VAGUER = (forgotten_term, missing_term, shuffled)  # each fits much that has a better name
FALLBACKS = (scattered, unexplained)


def recognised(wrong: Wrong) -> list[Suspicion]:
    """All causes whose own mark a wrong gradient bears, likelier first; there may be none."""
    for rules in ((not_finite,), RULES, *((rule,) for rule in VAGUER)):
        found = [suspicion for rule in rules for suspicion in rule(wrong)]
        if found:
            return found
    return []


def suspicions(wrong: Wrong) -> list[Suspicion]:
    """All causes that fit a wrong gradient, likelier first; never none."""
    return recognised(wrong) or [described(wrong)]


def described(wrong: Wrong) -> Suspicion:
    """What can be said of a wrong gradient that bears no mark."""
    differ = Suspicion("wrong-elements", f"{int(wrong.wrong.sum())} entries differ")
    return next((suspicion for rule in FALLBACKS for suspicion in rule(wrong)), differ)
