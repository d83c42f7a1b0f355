"""A forward that moves in steps, and a backward that passes a gradient through them regardless.

A rounding, a sign or a threshold has the gradient 0. What trains through one passes another on
purpose, and that is no mistake of calculation: it is told by a name of its own.
"""

from collections.abc import Iterator

from torchref.checker.causes.mismatch import Hypothesis
from torchref.checker.execution.run import Run
from torchref.checker.oracles.piecewise_constant import (
    is_nonzero_where_all_should_be_zero,
    line_of,
    moves_in_steps,
    stands_still,
)
from torchref.checker.report.oracle_result import Fault


def passed_through(run: Run, fault: Fault) -> Iterator[Hypothesis]:
    """A gradient where the true one is 0 throughout."""
    if not is_nonzero_where_all_should_be_zero(fault):
        return
    line = line_of(run, fault.place)
    if moves_in_steps(line):
        still = "the forward stands still around these inputs, and moves in steps further off"
        yield Hypothesis("straight-through", still)
    elif stands_still(line):
        yield Hypothesis("wrong-elements", f"the forward does not depend on {fault.name} here")
