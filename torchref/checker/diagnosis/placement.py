"""Right numbers in the wrong place: slots swapped, matrices transposed."""

from collections.abc import Iterator
from itertools import permutations

from torchref.checker.diagnosis.proportion import proportion
from torchref.checker.diagnosis.suspicion import Suspicion, Wrong, same


def swapped(wrong: Wrong) -> Iterator[Suspicion]:
    for name, true in wrong.others.items():
        if same(wrong.got, true) and same(wrong.claims[name], wrong.true):
            yield Suspicion("swapped-arguments", f"it equals the true gradient of {name}")
            return


def transposed(wrong: Wrong) -> Iterator[Suspicion]:
    """The true gradient with two of its dimensions exchanged, or read in another order."""
    true = wrong.true
    if true.dim() < 2 or true.dim() > 5:
        return
    for order in permutations(range(true.dim())):
        if order == tuple(range(true.dim())):
            continue
        turned = true.permute(order)
        if turned.shape == wrong.got.shape and proportion(wrong.got, turned) == 1.0:
            yield Suspicion("transposed", f"it equals the true gradient permuted by {order}")
            return
        if turned.shape == wrong.got.shape and same(wrong.got, turned):
            yield Suspicion("transposed", f"it equals the true gradient permuted by {order}")
            return
        if same(wrong.got, turned.reshape(true.shape)):
            yield Suspicion("transposed", "it holds the true entries, transposed in memory")
            return
