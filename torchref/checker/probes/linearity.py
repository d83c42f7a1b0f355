"""A backward is linear in grad_output: multiples of the one give multiples of the other."""

import torch
from torch import Tensor

from torchref.checker.execution.arithmetic import agree, draw_signed
from torchref.checker.execution.run import Scene
from torchref.checker.execution.tape import Gradients
from torchref.checker.probes.difference import first_difference
from torchref.checker.probes.probe import Outcome
from torchref.checker.report.findings import Finding

CLEARLY = 1e-2  # rounding in a low precision is no lack of linearity


def linearity(scene: Scene) -> Outcome:
    pull, one = scene.tape.gradients, scene.cotangents
    generator = scene.generator()
    other = {i: draw_signed(c, generator) for i, c in one.items()}
    for_one, for_other = pull(one), pull(other)
    if any(g is not None and not bool(torch.isfinite(g).all()) for g in for_one):
        return Outcome.skip("the gradient is not finite")
    # Multiplied by a power of two nothing rounds differently, so this may be held tightly.
    four = tuple(None if g is None else 4 * g for g in for_one)
    for_four = pull({i: 4 * c for i, c in one.items()})
    for_sum = pull({i: c + other[i] for i, c in one.items()})
    added = tuple(
        None if a is None or b is None else a + b for a, b in zip(for_one, for_other, strict=True)
    )
    told = "4 times grad_output does not give 4 times the gradient"
    difference = first_difference(scene, four, for_four)
    if difference is None:
        told = "the sum of two grad_outputs does not give the sum of their gradients"
        difference = first_difference(scene, added, for_sum, relative=CLEARLY)
    if difference is None:
        return Outcome()
    name, element, values = difference
    place = scene.case.argument_names.index(name)
    if _unmoved(for_one, for_other, place):
        evidence = "the same gradient comes back whatever grad_output is"
        cause = "ignores-grad-output"
    else:
        evidence = f"{told}: {values}"
        cause = "not-linear-in-grad-output"
    return Outcome([Finding(cause, name, element, evidence, scene.case.label)])


def _unmoved(a: Gradients, b: Gradients, place: int) -> bool:
    first: Tensor | None = a[place]
    return first is not None and bool(first.any()) and agree(first, b[place])
