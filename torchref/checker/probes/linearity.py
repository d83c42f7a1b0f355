"""A backward is linear in its grad_outputs: in the size of one, and over several outputs."""

import torch
from torch import Tensor

from torchref.checker.execution.arithmetic import agree, draw_signed
from torchref.checker.execution.run import Run
from torchref.checker.execution.tape import Gradients
from torchref.checker.oracles.tolerance import SIXTEEN_BITS
from torchref.checker.probes.difference import first_difference
from torchref.checker.probes.probe import Outcome, first_line
from torchref.checker.report.findings import Finding

FACTOR = 4  # a power of two, with which nothing rounds differently: it may be held tightly
LARGE = 1024  # meets a bound that is meant for training; an adaptive solver takes other steps there
SUMMED = 16.0  # roundings by which a sum of rounded gradients may differ
CLEARLY = 1e-2  # rounding in a low precision, and other steps, are no lack of linearity


def linearity(run: Run) -> Outcome:
    pull, one = run.gradients_to, run.cotangents
    generator = run.generator()
    other = {i: draw_signed(c, generator) for i, c in one.items()}
    for_one, for_other = pull(one), pull(other)
    if any(g is not None and not bool(torch.isfinite(g).all()) for g in for_one):
        return Outcome.skip("the gradient is not finite")
    clearly = max(CLEARLY, SUMMED * run.epsilon)
    multiples = {FACTOR: 0.0, LARGE: clearly} if run.epsilon < SIXTEEN_BITS else {FACTOR: 0.0}
    for_sum = pull({i: c + other[i] for i, c in one.items()})
    added = tuple(
        None if a is None or b is None else a + b for a, b in zip(for_one, for_other, strict=True)
    )
    for factor, relative in multiples.items():
        told = f"{factor} times grad_output does not give {factor} times the gradient"
        expected = tuple(None if g is None else factor * g for g in for_one)
        got = pull({i: factor * c for i, c in one.items()})
        difference = first_difference(run, expected, got, relative=relative)
        if difference is not None:
            break
    else:
        told = "the sum of two grad_outputs does not give the sum of their gradients"
        difference = first_difference(run, added, for_sum, relative=clearly)
    if difference is None:
        return Outcome()
    name, element, values = difference
    place = run.case.argument_names.index(name)
    if _unmoved(for_one, for_other, place):
        evidence = "the same gradient comes back whatever grad_output is"
        cause = "ignores-grad-output"
    else:
        evidence = f"{told}: {values}"
        cause = "not-linear-in-grad-output"
    return Outcome([Finding(cause, name, element, evidence, run.case.label)])


def _unmoved(a: Gradients, b: Gradients, place: int) -> bool:
    first: Tensor | None = a[place]
    return first is not None and bool(first.any()) and agree(first, b[place])


def undefined_cotangents(run: Run) -> Outcome:
    """The gradients of the outputs one by one add up to the gradient of all together."""
    if len(run.cotangents) < 2:
        return Outcome.skip("there is one differentiable output")
    total: Gradients = (None,) * len(run.case.wrt)
    for i, c in run.cotangents.items():
        try:
            alone = run.gradients_to({i: c})
        except Exception as error:
            evidence = f"when only output {i} is used: {first_line(error)}"
            return Outcome([Finding("raises", None, None, evidence, run.case.label)])
        total = tuple(_added(a, b) for a, b in zip(total, alone, strict=True))
    difference = first_difference(run, run.got, total)
    if difference is None:
        return Outcome()
    name, element, values = difference
    evidence = f"summed over outputs used one by one, {values}"
    return Outcome([Finding("missing-term", name, element, evidence, run.case.label)])


def _added(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    if a is None or b is None:
        return b if a is None else a
    return a + b
