"""Other options: scalars away from 1.0, flags turned, optional tensors absent."""

from collections.abc import Iterator

from torch import Generator, Tensor

from torchref.checker.execution.case import Case
from torchref.checker.inputs.values import Change

FACTORS = (0.7, 1.9)  # 1.0 hides a missing factor, and 2 hides a square


def option_variations(case: Case, _: Generator) -> Iterator[Change]:
    for i, leaf in enumerate(case.leaves):
        name = case.names[i]
        if isinstance(leaf, bool):
            yield f"{name}={not leaf}", {i: not leaf}
        elif isinstance(leaf, float):
            for factor in FACTORS:
                other = factor * leaf if leaf else factor / 10
                yield f"{name}={other:.3g}", {i: other}
        elif isinstance(leaf, int):
            for other in (leaf + 1, leaf - 1):
                yield f"{name}={other}", {i: other}
        elif isinstance(leaf, Tensor) and i not in case.parameters:
            yield f"{name}=None", {i: None}
