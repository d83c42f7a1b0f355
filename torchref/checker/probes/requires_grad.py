"""Subsets of inputs that require grad: what one gets must not depend on who else gets one."""

from collections.abc import Iterator
from itertools import combinations

from torchref.checker.execution.run import Run
from torchref.checker.execution.tape import Tape
from torchref.checker.probes.difference import first_difference
from torchref.checker.probes.probe import Outcome, first_line
from torchref.checker.report.findings import Finding

ALL_SUBSETS = 5  # up to so many arguments every subset is tried
LARGE = 1_000_000  # above so many elements each argument alone is enough


def requires_grad_subsets(run: Run) -> Outcome:
    for places in _subsets(len(run.case.wrt), run.case.elements):
        wrt = [run.case.wrt[place] for place in places]
        names = ", ".join(run.case.argument_names[place] for place in places)
        try:
            alone = Tape(run.candidate, run.case, wrt).gradients(run.cotangents)
        except Exception as error:
            evidence = f"when only {names} requires grad: {first_line(error)}"
            found = Finding("depends-on-requires-grad", names, None, evidence, run.case.label)
            return Outcome([found])
        before = tuple(run.got[place] for place in places)
        difference = first_difference(run, before, alone, places)
        if difference is not None:
            name, element, values = difference
            evidence = f"when only {names} requires grad, {values}"
            return Outcome(
                [Finding("depends-on-requires-grad", name, element, evidence, run.case.label)]
            )
    return Outcome()


def _subsets(count: int, elements: int) -> Iterator[tuple[int, ...]]:
    """All of them up to five arguments; then singles, complements and pairs."""
    everything = tuple(range(count))
    if elements > LARGE:
        sizes = [1]
    elif count <= ALL_SUBSETS:
        sizes = list(range(1, count))
    else:
        sizes = [1, count - 1, 2]
    for size in sizes:
        if size < count:
            yield from combinations(everything, size)
