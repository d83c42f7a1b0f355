"""Rounding told from another function: of two small errors, the one of rounding is rough.

A few roundings of the input further on, rounding has made another number of it, where the
difference of two functions is still the same.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from torchref.checker.case import Case
from torchref.checker.diagnosis import Suspicion
from torchref.checker.numeric import typical_size
from torchref.checker.scene import RefusedError, Scene, backward, forward
from torchref.checker.tape import draw_signed

ROUGH = 0.5  # so much of an error changes if it is rounding: two thirds and more, of others a third
NEARLY = 0.05  # a gradient so much wrong may still be a rounded one
NUDGES = {torch.float32: 8, torch.bfloat16: 1}  # roundings of the inputs; of 16 bits one is far


def nudged(scene: Scene, relative: float) -> Case:
    """The case with every differentiated entry moved by so much of itself."""
    generator = scene.generator()
    moved = {
        i: x + relative * x * draw_signed(x, generator)
        for i, x in zip(scene.case.wrt, scene.case.arguments, strict=True)
    }
    return scene.case.derived("nudged", moved)


def is_rough(here: Tensor, there: Tensor) -> bool:
    """Whether an error has become another one over a nudge."""
    return typical_size(there - here) > ROUGH * typical_size(here)


def lost_digits(scene: Scene, place: int, got: Tensor, true: Tensor) -> Iterator[Suspicion]:
    """A gradient that is nearly right, whose error is rough."""
    error, size = typical_size(got - true), typical_size(true)
    if scene.reference is None or not 0 < error <= NEARLY * size:
        return
    for dtype, ulps in NUDGES.items():
        case = nudged(scene, ulps * torch.finfo(dtype).eps)
        try:
            mine = backward(scene.candidate, forward(scene.candidate, case), scene.cotangents)
            its = backward(scene.reference, forward(scene.reference, case), scene.cotangents)
        except RefusedError:
            return
        a, b = mine[place], its[place]
        if a is not None and b is not None and is_rough(got - true, a - b):
            name = str(dtype).removeprefix("torch.")
            yield Suspicion(
                "precision-loss",
                f"right to {error / size:.1e} of the typical entry, and what is lost is rounding: "
                f"it is another error where the inputs differ by a rounding of {name}",
            )
            return
