"""Which causes fit a wrong gradient: those that leave the fewest choices."""

from collections.abc import Iterator

from torchref.checker.causes.mismatch import Hypothesis, Mismatch
from torchref.checker.causes.subset import all_but_some, scattered
from torchref.checker.causes.table import CAUSES
from torchref.checker.causes.term import unexplained
from torchref.checker.execution.arithmetic import same

LEVELS = sorted({level for cause in CAUSES.values() for level, _ in cause.fits})


def recognised(wrong: Mismatch) -> list[Hypothesis]:
    """The causes whose own mark a wrong gradient bears, none if it bears no mark."""
    return list(_not_finite(wrong)) or next(filter(None, _by_choices(wrong)), [])


def _not_finite(wrong: Mismatch) -> Iterator[Hypothesis]:
    """NaN equals nothing, and hides every other mark."""
    for _, rule in CAUSES["not-finite"].fits:
        yield from (Hypothesis("not-finite", evidence) for evidence in rule(wrong))


def _by_choices(wrong: Mismatch) -> Iterator[list[Hypothesis]]:
    """What fits with no choice, with one, and so on; what is vague comes last."""
    yield list(_predicted(wrong))
    for level in LEVELS:
        yield [
            Hypothesis(name, evidence)
            for name, cause in CAUSES.items()
            for its, rule in cause.fits
            if its == level
            for evidence in rule(wrong)
        ]
    for name, cause in CAUSES.items():
        for rule in cause.vague:
            yield [Hypothesis(name, evidence, vague=True) for evidence in rule(wrong)]


def _predicted(wrong: Mismatch) -> Iterator[Hypothesis]:
    """The first prediction of each rule that is what was got, and is not the true gradient."""
    for name, cause in CAUSES.items():
        for rule in cause.predicts:
            for evidence, gradient in rule(wrong):
                equal = same(wrong.got, gradient, wrong.rounding)
                if equal and not same(wrong.true, gradient, wrong.rounding):
                    yield Hypothesis(name, evidence)
                    break


def described(wrong: Mismatch) -> Hypothesis:
    """What can be said of a wrong gradient that bears no mark."""
    for name, rule in (
        ("wrong-elements", all_but_some),
        ("wrong-elements", scattered),
        ("missing-term", unexplained),
    ):
        for evidence in rule(wrong):
            return Hypothesis(name, evidence)
    return Hypothesis("wrong-elements", f"{int(wrong.wrong.sum())} entries differ")
