"""Whether a training has learnt: where its losses show that it has not, that is said at its end.

What has just begun, or learns slowly, has losses below that at the start, or too few to tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn import Module

from torchref.training.log.recorder import LOSS, NORM
from torchref.training.model.model_in_training import Contender

LEAST_STEPS = 100  # fewer may all go uphill: a warm-up, a momentum that builds up
LEAST_POINTS = 3  # log points at the end, at each of which it shows
LEFT = 0.01  # of the loss at the start; below that a gradient of 0 is a perfect fit
GROWN = 1000.0  # times the size of the largest weight at the start, or of 1


@dataclass
class Course:
    """The loss of a contender at each log point, and for how long it has had no gradient."""

    losses: list[float] = field(default_factory=list)
    without_gradient: int = 0

    def look(self, scalars: Mapping[str, float]) -> None:
        """Takes the scalars of a log point."""
        self.losses.append(scalars[LOSS])
        norms = [value for tag, value in scalars.items() if tag.startswith(NORM)]
        still = norms and not any(norms) and len(self.losses) > 1
        still = still and self.losses[-1] == self.losses[-2]
        self.without_gradient = self.without_gradient + 1 if still else 0

    def state_dict(self) -> dict[str, Any]:
        return {"losses": list(self.losses), "without_gradient": self.without_gradient}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.losses, self.without_gradient = list(state["losses"]), state["without_gradient"]

    def is_stuck(self) -> bool:
        """Whether all gradients are 0 and stay so, and it is no perfect fit."""
        first, last = self.losses[0], self.losses[-1]
        return self.without_gradient >= LEAST_POINTS and abs(last) > LEFT * abs(first)

    def has_not_fallen(self, steps: int) -> bool:
        """Whether the last quarter of all losses is not below that at the start, and no fit."""
        first, *later = self.losses
        last = later[-max(LEAST_POINTS, len(later) // 4) :]
        enough = steps >= LEAST_STEPS and len(last) >= LEAST_POINTS
        return enough and min(last) >= first and last[-1] != 0


def not_learnt(
    course: Course, contender: Contender, start: Module, steps: int, verdict: str | None
) -> str | None:
    """What to say of a contender that has not learnt, and the likely cause; None where it may.

    start    the network as it was at the start
    verdict  of the last live check, if there was one
    """
    if not course.losses or not (course.is_stuck() or course.has_not_fallen(steps)):
        return None
    first, last = course.losses[0], course.losses[-1]
    told = (
        f"The model with {contender.name} gradients has not learnt: its loss was {first:.4g} at "
        f"the start and is {last:.4g} after {steps} steps"
    )
    stuck = ", and all its gradients are 0" if course.is_stuck() else ""
    cause = likely_cause(course, contender, start, verdict)
    return f"{told}{stuck}. {cause}"


def likely_cause(course: Course, contender: Contender, start: Module, verdict: str | None) -> str:
    rate = float(contender.optimizer.param_groups[0]["lr"])
    begun, ended = largest_weight(start), largest_weight(contender.model)
    if verdict == "wrong":
        return "The live check finds its gradients wrong: see what it says of them."
    if ended > GROWN * max(begun, 1.0):
        return (
            f"The largest weight has grown from {begun:.3g} to {ended:.3g}: the learning rate, "
            f"which is {rate:.3g}, is too large. 0.1 or less is usual."
        )
    weights = zip(start.parameters(), contender.model.parameters(), strict=True)
    if all(torch.equal(mine.detach().cpu(), its.detach().cpu()) for mine, its in weights):
        return (
            f"No parameter has changed: the learning rate, which is {rate:.3g}, is too small for "
            "the dtype, or the optimiser has no parameter that gets a gradient."
        )
    if course.is_stuck():
        return (
            "Its units are saturated or dead: try a smaller learning rate than "
            f"{rate:.3g}, inputs standardised to about 1, or another start."
        )
    if course.losses[-1] > course.losses[0]:
        return (
            f"The learning rate, which is {rate:.3g}, is the first thing to look at: try a tenth "
            "of it, clipped gradients, and inputs standardised to about 1."
        )
    return (
        f"Try another learning rate than {rate:.3g}, and look whether each target belongs to its "
        "input."
    )


def largest_weight(model: Module) -> float:
    return max(p.detach().abs().max().item() for p in model.parameters() if p.numel())
