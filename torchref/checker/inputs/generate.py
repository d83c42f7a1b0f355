"""All variations of a case, one after the other."""

from collections.abc import Iterator

from torch import Generator

from torchref.checker.execution.case import Case
from torchref.checker.inputs.indices import index_variations, order_variations
from torchref.checker.inputs.options import option_variations
from torchref.checker.inputs.sizes import rank_variations, size_variations
from torchref.checker.inputs.values import value_variations

KINDS = {
    "options": option_variations,
    "values": value_variations,
    "indices": index_variations,
    "orders": order_variations,
    "sizes": size_variations,
    "ranks": rank_variations,
}
ASKS_A_REFERENCE = {"orders"}  # whether it is promised, the forward alone does not say


def variations(case: Case, seed: int) -> Iterator[tuple[str, Case]]:
    """Each changes one thing, and says which in its label; whether it makes sense is not asked.

    With each comes its kind, a key of `KINDS`.
    """
    for kind, vary in KINDS.items():
        generator = Generator().manual_seed(seed)
        for label, changes in vary(case, generator):
            yield kind, case.derived(label, changes)
