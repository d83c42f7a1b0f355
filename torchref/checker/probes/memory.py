"""Memory that is never written: allocations are filled with NaN, and NaN must not come out."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.utils.deterministic as deterministic

from torchref.checker.execution.run import Scene
from torchref.checker.execution.tape import Tape
from torchref.checker.probes.probe import Outcome, first_line
from torchref.checker.report.findings import Finding


def uninitialised_memory(scene: Scene) -> Outcome:
    try:
        with poisoned():
            gradients = Tape(scene.candidate, scene.case).gradients(scene.cotangents)
    except Exception as error:
        return Outcome.skip(f"cannot run with poisoned memory: {first_line(error)}")
    for place, gradient in enumerate(gradients):
        if gradient is None:
            continue
        spoilt = torch.isnan(gradient.abs()) & ~torch.isnan(scene.claimed[place].abs())
        if scene.true is not None and (true := scene.true[place]) is not None:
            spoilt &= ~torch.isnan(true.abs())
        if bool(spoilt.any()):
            element = tuple(int(i) for i in spoilt.nonzero()[0])
            evidence = f"{int(spoilt.sum())} of {spoilt.numel()} entries were never written"
            name = scene.case.argument_names[place]
            found = Finding("uninitialised-memory", name, element, evidence, scene.case.label)
            return Outcome([found])
    return Outcome()


@contextmanager
def poisoned() -> Iterator[None]:
    """While open, torch.empty and its like are filled with NaN."""
    mode = torch.get_deterministic_debug_mode()
    fill = deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]  # torch sets it
    torch.set_deterministic_debug_mode("warn")
    deterministic.fill_uninitialized_memory = True  # type: ignore[attr-defined]
    try:
        yield
    finally:
        deterministic.fill_uninitialized_memory = fill  # type: ignore[attr-defined]
        torch.set_deterministic_debug_mode(mode)
