"""Outputs that nobody uses: backward gets None or zeros for them, and must work with either."""

from torch import Tensor

from torchref.checker.execution.run import Scene
from torchref.checker.execution.tape import Gradients
from torchref.checker.probes.difference import first_difference
from torchref.checker.probes.probe import Outcome, first_line
from torchref.checker.report.findings import Finding


def undefined_cotangents(scene: Scene) -> Outcome:
    """The gradients of the outputs one by one add up to the gradient of all together."""
    if len(scene.cotangents) < 2:
        return Outcome.skip("there is one differentiable output")
    total: Gradients = (None,) * len(scene.case.wrt)
    for i, c in scene.cotangents.items():
        try:
            alone = scene.tape.gradients({i: c})
        except Exception as error:
            evidence = f"when only output {i} is used: {first_line(error)}"
            return Outcome([Finding("raises", None, None, evidence, scene.case.label)])
        total = tuple(_added(a, b) for a, b in zip(total, alone, strict=True))
    difference = first_difference(scene, scene.got, total)
    if difference is None:
        return Outcome()
    name, element, values = difference
    evidence = f"summed over outputs used one by one, {values}"
    return Outcome([Finding("missing-term", name, element, evidence, scene.case.label)])


def _added(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    if a is None or b is None:
        return b if a is None else a
    return a + b
