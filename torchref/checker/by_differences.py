"""All entries at once, along one random direction, against differences of the forward itself."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from torchref.checker.findings import Finding
from torchref.checker.halving import Field, locate, numeric_gradient
from torchref.checker.judgement import Fault, Judgement
from torchref.checker.kinks import admitted, has_ties, one_sided, sums_over_ties, tied_elements
from torchref.checker.numeric import Slope, central_slope, draw_directions, typical_size
from torchref.checker.scene import Scene
from torchref.checker.tape import inner
from torchref.checker.tolerance import DOUBLE

SMALL = 2000  # up to so many entries a whole numeric gradient is affordable
ROUNDINGS = 32.0  # of the gradient itself, over its entries
CONVENTION = "there is no derivative here; the gradient is one of the values that it may have"


def judge_by_differences(scene: Scene, reference_agrees: bool = False) -> Judgement:
    """Only a disagreement is looked into, and only then does the cost depend on N.

    With `reference_agrees` the reference has the same gradient: then a disagreement at a kink is
    a convention that both keep, and any other is an error that both make.
    """
    judgement = Judgement()
    if not scene.cotangents or not scene.case.elements:
        return judgement
    if not all(bool(torch.isfinite(g.abs()).all()) for g in scene.claimed):
        return judgement.cannot_tell("the gradient is not finite")
    field = Field(scene.candidate, scene.case, scene.cotangents, scene.claimed)
    directions = draw_directions(scene.case, scene.generator())
    moved = [inner(g * d, g * d) for g, d in zip(scene.claimed, directions, strict=True)]
    scale = math.sqrt(sum(moved))
    slope = central_slope(field.line(directions), scale)
    if not math.isfinite(slope.error):
        return judgement.cannot_tell("differences of the forward do not settle")
    excess = slope.value - field.claimed_slope(directions)
    tolerance = slope.tolerance + ROUNDINGS * scene.epsilon * scale
    judgement.worst = abs(excess) / tolerance if excess else 0.0
    if judgement.worst <= 1:
        return judgement
    if reference_agrees and scene.epsilon > DOUBLE:
        return judgement.cannot_tell("in this dtype the differences are coarser than the reference")
    sides = one_sided(field.line(directions), noise=slope.error * slope.step)
    if has_ties(scene.case.arguments) or sides.kinked:
        return _judge_at_kinks(scene, field, slope, judgement, reference_agrees)
    _find_faults(scene, field, directions, excess, slope, judgement)
    return _both_wrong(scene, judgement) if reference_agrees else judgement


def _judge_at_kinks(
    scene: Scene, field: Field, slope: Slope, judgement: Judgement, reference_agrees: bool
) -> Judgement:
    directions, excess = sums_over_ties(field, scene.generator())
    if excess and not reference_agrees:
        _find_faults(scene, field, directions, excess, slope, judgement)
        return judgement
    judgement.worst = 1.0
    if reference_agrees or all(
        admitted(field, place, element, scene.generator())
        for place, x in enumerate(scene.case.arguments)
        for element in tied_elements(x)[:SMALL]
    ):
        judgement.notes.append(f"{scene.case.label}: {CONVENTION}")
        return judgement
    return judgement.cannot_tell("there is no derivative here")


def _both_wrong(scene: Scene, judgement: Judgement) -> Judgement:
    judgement.blameless = [
        Finding(
            "reference-wrong",
            fault.name,
            fault.element,
            f"candidate and reference say {fault.got_value:.6g}, differences of the forward "
            f"{fault.true_value:.6g}",
            scene.case.label,
        )
        for fault in judgement.faults
    ]
    judgement.faults, judgement.worst = [], 1.0
    return judgement


def _find_faults(
    scene: Scene,
    field: Field,
    directions: Sequence[Tensor],
    excess: float,
    slope: Slope,
    judgement: Judgement,
) -> None:
    if scene.case.elements <= SMALL:
        for place, got in enumerate(scene.claimed):
            true = numeric_gradient(field, place, slope.step)
            allowed = slope.tolerance + 1e-6 * (true.abs() + typical_size(true))
            wrong = (got - true).abs() > allowed
            if bool(wrong.any()):
                worst = torch.unravel_index((got - true).abs().argmax(), got.shape)
                element = tuple(int(i) for i in worst)
                judgement.faults.append(_fault(scene, place, element, true, wrong))
    if not judgement.faults:
        found = locate(field, directions, excess, slope.step)
        value = scene.claimed[found.argument][found.element].item()
        name = scene.case.argument_names[found.argument]
        raw = scene.got[found.argument]
        judgement.faults.append(
            Fault(found.argument, name, raw, None, None, found.element, value, found.slope)
        )


def _fault(
    scene: Scene, place: int, element: tuple[int, ...], true: Tensor, wrong: Tensor
) -> Fault:
    name, got = scene.case.argument_names[place], scene.claimed[place]
    values = got[element].item(), true[element].item()
    return Fault(place, name, scene.got[place], true, wrong, element, *values)
