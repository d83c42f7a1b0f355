"""Forward mode against reverse mode: ⟨c, J d⟩ and ⟨Jᵀ c, d⟩ are the same number."""

import math
import warnings

import torch.autograd.forward_ad as forward_ad

from torchref.checker.execution.arithmetic import inner, norm
from torchref.checker.execution.numbers import told_apart
from torchref.checker.execution.run import Run
from torchref.checker.execution.tape import fresh, seed_forward
from torchref.checker.oracles.directional_derivative import draw_directions
from torchref.checker.oracles.symmetric import symmetric_where_shared
from torchref.checker.oracles.tolerance import OF_ENTRY, slope_floor
from torchref.checker.probes.probe import Outcome, first_line
from torchref.checker.report.findings import Finding


def forward_mode(run: Run) -> Outcome:
    """Skipped where the candidate offers no forward-mode rule.

    Of an op of `torch.library`, which can have none, torch says nothing: it has no tangent then.
    """
    generator = run.generator()
    directions = symmetric_where_shared(run, draw_directions(run.case, generator))
    leaves = fresh(run.case.leaves)
    try:
        with forward_ad.dual_level(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # forward mode asks for a JIT script once
            for i, d in zip(run.case.wrt, directions, strict=True):
                leaves[i] = forward_ad.make_dual(leaves[i].detach(), d)
            seed_forward(run.case)
            outputs = run.candidate.outputs(run.case.spec, leaves)
            tangents = {i: forward_ad.unpack_dual(outputs[i]).tangent for i in run.cotangents}
    except Exception as error:
        return Outcome.skip(f"not offered: {first_line(error)}")
    if all(tangent is None for tangent in tangents.values()):
        return Outcome.skip(
            "not offered: torch takes the output for a constant, and raises nothing"
        )
    ahead = [(c, tangents[i]) for i, c in run.cotangents.items() if tangents[i] is not None]
    back = list(zip(run.claimed, directions, strict=True))
    moved, pulled = (sum(inner(a, b) for a, b in pairs) for pairs in (ahead, back))
    tolerance = OF_ENTRY * run.epsilon * norm(a * b for a, b in [*ahead, *back])
    if not math.isfinite(moved) or not math.isfinite(tolerance):
        return Outcome.skip("not finite here")
    if abs(moved - pulled) > tolerance:  # a gradient of 0 may be what its rounding makes of it
        tolerance += slope_floor(run, directions)
    worst = abs(moved - pulled) / tolerance if tolerance else 0.0
    if worst <= 1:
        return Outcome(worst=worst)
    told = told_apart(moved, pulled)
    evidence = "along a random direction jvp says {} and backward {}".format(*told)
    return Outcome([Finding("forward-mode-wrong", None, None, evidence, run.case.label)], worst)
