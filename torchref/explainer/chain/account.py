"""All that is known of the chain rule of one entry of a parameter."""

from dataclasses import dataclass, field

from torchref.explainer.chain.counting import Counts
from torchref.explainer.chain.factors import Cancellation, Factor
from torchref.explainer.chain.forward import Quantity
from torchref.explainer.chain.notation import Notation
from torchref.explainer.chain.paths import Delta, Path
from torchref.explainer.chain.verdict.evidence import Evidence
from torchref.explainer.chain.viewpoint import Place, Viewpoint


@dataclass(frozen=True)
class Account:
    """What `explain` found out, for any form of output to be drawn from.

    `factors` multiply to the contribution of the explained example; where several paths lead to
    the loss, the first factor is the sum that the δ recursion gives. The contributions of all
    examples add up to the gradient. `path_sum` is None where the paths are too many to be summed.
    """

    notation: Notation
    sizes: tuple[int, ...]
    place: Place
    parameter: str
    gradient: str
    example: int
    forward: tuple[Quantity, ...]
    factors: tuple[Factor, ...]
    path_count: int
    paths: tuple[Path, ...]
    path_sum: float | None
    deltas: tuple[Delta, ...]
    cancellation: Cancellation | None
    contributions: tuple[float, ...]
    evidence: Evidence
    rate: float
    before: float
    counts: Counts
    growth: dict[int, Counts]
    view: Viewpoint = field(repr=False)

    @property
    def after(self) -> float:
        """The parameter after one step of gradient descent."""
        return self.before - self.rate * self.evidence.product

    @property
    def verdict(self) -> str:
        return self.evidence.verdict
