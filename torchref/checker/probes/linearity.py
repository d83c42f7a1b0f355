"""A backward is linear in grad_output: twice the cotangent, twice the gradient, and 0 from 0."""

from torch import Tensor

from torchref.checker.agreement import agree, first_difference
from torchref.checker.findings import Finding
from torchref.checker.probes.probe import Outcome
from torchref.checker.scene import Scene
from torchref.checker.tape import Gradients, draw_signed

CLEARLY = 1e-2  # rounding in a low precision is no lack of linearity


def linearity(scene: Scene) -> Outcome:
    generator = scene.generator()
    pull = scene.tape.gradients
    one = scene.cotangents
    other = {i: draw_signed(c, generator) for i, c in one.items()}
    for_one, for_other = pull(one), pull(other)
    for_sum = pull({i: 2 * c + other[i] for i, c in one.items()})
    expected = tuple(
        None if a is None or b is None else 2 * a + b
        for a, b in zip(for_one, for_other, strict=True)
    )
    difference = first_difference(scene, expected, for_sum, relative=CLEARLY)
    if difference is None:
        return Outcome()
    name, element, values = difference
    place = scene.case.argument_names.index(name)
    if _unmoved(for_one, for_other, place):
        evidence = "the same gradient comes back whatever grad_output is"
        cause = "ignores-grad-output"
    else:
        evidence = f"for 2 c + c′ in place of c and c′: {values}"
        cause = "not-linear-in-grad-output"
    return Outcome([Finding(cause, name, element, evidence, scene.case.label)])


def _unmoved(a: Gradients, b: Gradients, place: int) -> bool:
    first: Tensor | None = a[place]
    return first is not None and bool(first.any()) and agree(first, b[place])
