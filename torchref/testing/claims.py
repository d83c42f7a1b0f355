"""What an op claims, one test for each claim: what tests of a list of ops are made of."""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from unittest import SkipTest

from torchref.catalogue.op_case import OpCase
from torchref.errors import InputError
from torchref.testing.checked_op import CheckedOp
from torchref.testing.trials import TRIALS

GRADIENT = "gradient"  # what no op may decline


@dataclass(frozen=True)
class Claim:
    """One thing that an op is held to; `str` gives it a name for a test."""

    name: str
    op: CheckedOp

    @property
    def case(self) -> OpCase:
        return self.op.case

    def __str__(self) -> str:
        return f"{self.case.name}-{self.name.replace(' ', '-')}"

    def check(self) -> None:
        """Raise `AssertionError` unless the claim holds.

        A claim that the case refuses raises `unittest.SkipTest` with the reason, which pytest
        takes for a skipped test; and `AssertionError` if it holds all the same.
        """
        __tracebackhide__ = True  # pytest shows the test's own line
        reason = self.case.refuses.get(self.name)
        failure = self._failure()
        told = f"{self.case.name}, {self.name}"
        if reason is not None and failure is None:
            raise AssertionError(f"{told}: it is refused ({reason}), and holds. Take it out there.")
        if reason is not None:
            raise SkipTest(f"{self.name} is refused: {reason}")
        if failure is not None:
            what = str(failure)
            if not isinstance(failure, AssertionError):
                what = f"{type(failure).__name__}: {what}"
            meant = f'\nIf that is meant: refuses={{"{self.name}": "the reason"}}.'
            raise AssertionError(
                f"{told}: {what}{'' if self.name == GRADIENT else meant}"
            ) from _cause(failure)

    def _failure(self) -> Exception | None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of what torch calls on the way
                TRIALS[self.name](self.op)
        except InputError:
            raise
        except Exception as error:
            return error
        return None


def claims_of(cases: Iterable[OpCase], *, seed: int = 0) -> list[Claim]:
    """All claims of some ops, to make a test of each.

    cases   one for each op: its twin, its inputs, and what it does not offer
    seed    of the inputs, cotangents and directions

    Every op claims its gradient, low precision beside its twin, forward mode, `vmap`, `compile` in
    one graph, autocast, and to leave the random state alone; a case of `order=2` its second order;
    a custom op of `torch.library` its registration, but no forward mode. What is not tried does
    not hold: decline it by `refuses=`. Raises `InputError` for no cases, and for a name there that
    is no claim.

    >>> from torchref.catalogue import CATALOGUE
    >>> claims = claims_of([CATALOGUE["Sigmoid"]])
    >>> print(*claims, sep=", ")  # doctest: +ELLIPSIS
    Sigmoid-gradient, Sigmoid-second-order, ..., Sigmoid-random-state
    >>> claims[0].check()
    """
    listed = list(cases) if isinstance(cases, Iterable) else [cases]
    others = [each for each in listed if not isinstance(each, OpCase)]
    if others:
        raise InputError(
            "claims_of takes a list of OpCase, one for each op",
            f"{others[0]!r} is among it",
            "Write claims_of([OpCase(op, twin, samples)]).",
        )
    if not listed:
        raise InputError(
            "claims_of needs at least one case",
            "none arrived",
            "Without one, pytest would skip the test and say nothing.",
        )
    return [claim for case in listed for claim in _claims(case, seed)]


def _claims(case: OpCase, seed: int) -> list[Claim]:
    op = CheckedOp(case, seed)
    left_out = {"forward mode"} if op.is_custom_op else {"registration"}
    if case.order == 1:
        left_out.add("second order")
    names = [name for name in TRIALS if name not in left_out]
    for name, reason in case.refuses.items():
        if name not in names or name == GRADIENT or not reason:
            raise InputError(
                f"refuses= must give reasons for claims of {', '.join(names[1:])}",
                f"{name!r}: {reason!r} arrived for {case.name}",
                "What crosscheck should let pass is given by options={'expect': {cause: reason}}.",
            )
    return [Claim(name, op) for name in names]


def _cause(failure: Exception) -> Exception | None:
    """What the op itself raised, with its traceback; an assertion has said all."""
    return None if isinstance(failure, AssertionError) else failure
