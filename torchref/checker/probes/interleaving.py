"""Two forwards before the backwards: each backward must use its own call's values."""

from torch import Tensor

from torchref.checker.execution.arithmetic import agree, is_differentiable
from torchref.checker.execution.case import Case
from torchref.checker.execution.run import RefusedError, Scene, play
from torchref.checker.execution.tape import Tape
from torchref.checker.probes.difference import first_difference
from torchref.checker.probes.probe import Outcome
from torchref.checker.report.findings import Finding
from torchref.errors import InputError


def interleaved(scene: Scene) -> Outcome:
    """The candidate runs forward at other values between this forward and this backward."""
    tape = Tape(scene.candidate, scene.case)
    try:
        other = play(scene.candidate, scene.reference, _turned(scene.case), scene.seed)
    except (RefusedError, InputError) as refusal:
        return Outcome.skip(f"the inputs turned around are refused: {refusal}")
    difference = first_difference(scene, scene.got, tape.gradients(scene.cotangents))
    if difference is not None:
        name, element, values = difference
        evidence = f"after another forward the gradient {values}"
        return Outcome([Finding("stale-state", name, element, evidence, scene.case.label)])
    for place, (got, true) in enumerate(zip(other.got, other.true or (), strict=False)):
        here = scene.tape.gradients(other.cotangents)[place]
        if true is None or agree(got, true) or not agree(got, here) or agree(here, true):
            continue
        if scene.true is None or not agree(scene.got[place], scene.true[place]):
            continue
        name = scene.case.argument_names[place]
        evidence = "at other values of the same shape the slope of the first call comes back"
        return Outcome([Finding("stale-state", name, None, evidence, other.case.label)])
    return Outcome()


def _turned(case: Case) -> Case:
    """Every differentiable leaf with its entries in reverse order: other values, same domain."""

    def turn(x: Tensor) -> Tensor:
        return x.reshape(-1).flip(0).reshape(x.shape)

    changes = {i: turn(x) for i, x in enumerate(case.leaves) if is_differentiable(x)}
    return case.derived("reversed", changes)
