"""Right numbers in the wrong place: slots swapped, matrices transposed, conjugates taken."""

from collections.abc import Iterator
from itertools import permutations

from torchref.checker.causes.factor import proportion
from torchref.checker.causes.mismatch import Hypothesis, Mismatch
from torchref.checker.execution.arithmetic import same


def swapped(wrong: Mismatch) -> Iterator[Hypothesis]:
    for name, true in wrong.others.items():
        if same(wrong.got, true, wrong.rounding) and same(
            wrong.claims[name], wrong.true, wrong.rounding
        ):
            both = " and ".join(sorted((wrong.name, name)))
            yield Hypothesis("swapped-arguments", f"{both} hold each other's true gradient")
            return


def conjugated(wrong: Mismatch) -> Iterator[Hypothesis]:
    """Torch's gradient is ∂L/∂Re + i ∂L/∂Im; elsewhere its conjugate goes by the same name."""
    if not wrong.true.is_complex() or same(wrong.true, wrong.true.conj(), wrong.rounding):
        return
    if same(wrong.got, wrong.true.conj(), wrong.rounding):
        yield Hypothesis(
            "sign-flipped", "it is the complex conjugate: its imaginary part is negated"
        )


def transposed(wrong: Mismatch) -> Iterator[Hypothesis]:
    """The true gradient with two of its dimensions exchanged, or read in another order."""
    true = wrong.true
    if true.dim() < 2 or true.dim() > 5 or same(wrong.got, true, wrong.rounding):
        return
    for order in permutations(range(true.dim())):
        if order == tuple(range(true.dim())):
            continue
        turned = true.permute(order)
        if turned.shape == wrong.got.shape and proportion(wrong.got, turned) == 1.0:
            yield Hypothesis("transposed", f"it equals the true gradient permuted by {order}")
            return
        if turned.shape == wrong.got.shape and same(wrong.got, turned, wrong.rounding):
            yield Hypothesis("transposed", f"it equals the true gradient permuted by {order}")
            return
        if same(wrong.got, turned.reshape(true.shape), wrong.rounding):
            yield Hypothesis("transposed", "it holds the true entries, transposed in memory")
            return
