"""A forward that moves in steps, and a backward that passes a gradient through them regardless.

A rounding, a sign or a threshold has the gradient 0. What trains through one passes another on
purpose, and that is no mistake of calculation: it is told by a name of its own.
"""

from collections.abc import Iterator

import torch

from torchref.checker.diagnosis import Suspicion
from torchref.checker.execution.run import Scene
from torchref.checker.oracles.bisection import Field
from torchref.checker.oracles.directional_derivative import Rising, draw_directions
from torchref.checker.report.judgement import Fault

NEAR = (2.0**-20, 2.0**-24)  # steps within which a step function stands still
FAR = (2.0**-4, 1.0, 8.0)  # and steps by one of which it moves


def moves_in_steps(line: Rising) -> bool:
    """Whether no bit of the outputs moves nearby, and some do further off."""
    return _stands_still(line) and any(line.rise(-t, t)[0] != 0 for t in FAR)


def passed_through(scene: Scene, fault: Fault) -> Iterator[Suspicion]:
    """A gradient where the true one is 0 throughout."""
    if fault.got is None or fault.true is None or bool(fault.true.any()):
        return
    if not bool(torch.isfinite(fault.got).all()):
        return
    moves = draw_directions(scene.case, scene.generator())
    alone = [move if i == fault.place else 0 * move for i, move in enumerate(moves)]
    line = Field(scene.candidate, scene.case, scene.cotangents, scene.claimed).line(alone)
    if moves_in_steps(line):
        still = "the forward stands still around these inputs, and moves in steps further off"
        yield Suspicion("straight-through", still)
    elif _stands_still(line):
        yield Suspicion("wrong-elements", f"the forward does not depend on {fault.name} here")


def _stands_still(line: Rising) -> bool:
    return all(line.rise(-t, t)[0] == 0 for t in NEAR)
