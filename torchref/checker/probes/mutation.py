"""Memory: who writes where it should only read, and who reads what was never written."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
import torch.utils.deterministic as deterministic
from torch import Tensor

from torchref.checker.execution.arithmetic import is_differentiable, is_freed
from torchref.checker.execution.raw_returns import RawReturn, custom_nodes, recording
from torchref.checker.execution.run import Run
from torchref.checker.execution.tape import Tape, copy_layout, dense
from torchref.checker.probes.probe import Outcome, first_line
from torchref.checker.report.findings import Finding


def mutation(run: Run) -> Outcome:
    """Everything that forward and backward see is compared with a copy made before."""
    findings: list[Finding] = []
    tape = Tape(run.candidate, run.case)
    findings += _changed_inputs(run, run.case.leaves, tape, "forward")
    between = [_copied(x) if isinstance(x, Tensor) else x for x in tape.leaves]
    if findings:
        return Outcome(findings)
    outputs = [(f"output {i}", y, _copied(y)) for i, y in enumerate(tape.outputs)]
    saved = [(name, x, _copied(x)) for name, x in _saved(tape)]
    handed = {i: copy_layout(c) for i, c in run.cotangents.items()}
    try:
        with recording(tape.outputs) as raw:
            tape.pull(handed)
    except Exception as error:
        return Outcome.skip(f"the backward raises: {first_line(error)}")
    for i, c in run.cotangents.items():
        if not _equal(handed[i], c):
            findings.append(_finding(run, "mutates-grad-output", None, f"grad_output {i} changed"))
    findings += _changed_inputs(run, between, tape, "backward")
    if not findings:
        # What others read too makes their gradients wrong; what only this backward reads, its next.
        for group, hazard in ((outputs, False), (saved, True)):
            changed = [
                f"the memory of {name} is freed" if is_freed(now) else f"{name} changed"
                for name, now, before in group
                if before is not None and (is_freed(now) or not _equal(now.detach(), before))
            ]
            if changed and not findings:
                found = _finding(run, "mutates-saved", None, changed[0])
                findings.append(replace(found, hazard=hazard))
    findings += _shared_returns(run, raw)
    return Outcome(findings)


def _changed_inputs(run: Run, before: Sequence[Any], tape: Tape, phase: str) -> list[Finding]:
    """Inputs that changed and that should not: running statistics may move in forward."""
    found = []
    allowed = _may_move(run) if phase == "forward" else set()
    for i, (was, now) in enumerate(zip(before, tape.leaves, strict=True)):
        if not isinstance(was, Tensor) or i in allowed:
            continue
        name = run.case.names[i]
        if is_freed(now):
            what = f"the memory of {name} is freed in {phase}"
            found.append(_finding(run, "mutates-input", name, what))
        elif not _equal(was, now.detach()):
            found.append(_finding(run, "mutates-input", name, f"{name} changed during {phase}"))
    return found


def _may_move(run: Run) -> set[int]:
    """What the reference moves too; without one, what `wrt` leaves out, as it does statistics."""
    if run.reference is None:
        floating = {i for i, leaf in enumerate(run.case.leaves) if is_differentiable(leaf)}
        return floating - set(run.case.wrt)
    tape = Tape(run.reference, run.case)
    return {
        i
        for i, (before, after) in enumerate(zip(run.case.leaves, tape.leaves, strict=True))
        if isinstance(before, Tensor) and not _equal(before, after.detach())
    }


def _saved(tape: Tape) -> Iterable[tuple[str, Tensor]]:
    """What Functions keep for their backward, on ctx or by save_for_backward."""
    for node in custom_nodes(tape.outputs):
        attributes: Mapping[str, Any] = getattr(node, "__dict__", {})
        for name, value in attributes.items():
            if isinstance(value, Tensor):
                yield f"ctx.{name}", value
        for place, value in enumerate(getattr(node, "saved_tensors", ())):
            if value is not None:
                yield f"saved tensor {place}", value


def _shared_returns(run: Run, raw: list[RawReturn]) -> list[Finding]:
    """Two gradients in one memory: writing into one, as accumulation does, changes the other.

    The same tensor returned twice is safe, autograd counts its users; so is grad_output itself.
    """
    for call in raw:
        seen: dict[int, tuple[int, Tensor]] = {}
        for place, gradient in enumerate(call.returned):
            if not isinstance(gradient, Tensor) or not gradient.numel():
                continue
            memory = gradient.untyped_storage().data_ptr()
            if memory in call.incoming:
                continue
            if memory in seen and _overlap(seen[memory][1], gradient):
                first = seen[memory][0]
                if call.identities[first] != call.identities[place]:
                    both = f"the gradients of {call.name(first)} and {call.name(place)} overlap"
                    return [_finding(run, "aliased-buffer", call.name(place), both)]
            seen.setdefault(memory, (place, gradient))
    return []


def _overlap(a: Tensor, b: Tensor) -> bool:
    """Whether the spans of memory that two tensors lie in meet."""
    (a_start, a_end), (b_start, b_end) = _span(a), _span(b)
    return a_start < b_end and b_start < a_end


def _span(x: Tensor) -> tuple[int, int]:
    reach = sum((n - 1) * stride for n, stride in zip(x.shape, x.stride(), strict=True))
    start = int(x.storage_offset())
    return start, start + int(reach) + 1


def _copied(x: Tensor) -> Tensor | None:
    """None of what forward has freed, as reversible blocks do: it must not be read."""
    return None if is_freed(x) else x.detach().clone()


def _equal(a: Tensor, b: Tensor) -> bool:
    a, b = dense(a), dense(b)
    return a.shape == b.shape and bool(((a == b) | ((a != a) & (b != b))).all())


def _finding(run: Run, cause: str, name: str | None, what: str) -> Finding:
    return Finding(cause, name, None, what, run.case.label)


def uninitialised_memory(run: Run) -> Outcome:
    try:
        with poisoned():
            gradients = Tape(run.candidate, run.case).gradients(run.cotangents)
    except Exception as error:
        return Outcome.skip(f"cannot run with poisoned memory: {first_line(error)}")
    for place, gradient in enumerate(gradients):
        if gradient is None:
            continue
        spoilt = torch.isnan(gradient.abs()) & ~torch.isnan(run.claimed[place].abs())
        if run.true is not None and (true := run.true[place]) is not None:
            spoilt &= ~torch.isnan(true.abs())
        if bool(spoilt.any()):
            element = tuple(int(i) for i in spoilt.nonzero()[0])
            evidence = f"{int(spoilt.sum())} of {spoilt.numel()} entries were never written"
            name = run.case.argument_names[place]
            found = Finding("uninitialised-memory", name, element, evidence, run.case.label)
            return Outcome([found])
    return Outcome()


@contextmanager
def poisoned() -> Iterator[None]:
    """While open, torch.empty and its like are filled with NaN."""
    mode = torch.get_deterministic_debug_mode()
    fill = deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]  # torch sets it
    torch.set_deterministic_debug_mode("warn")
    deterministic.fill_uninitialized_memory = True  # type: ignore[attr-defined]  # likewise
    try:
        yield
    finally:
        deterministic.fill_uninitialized_memory = fill  # type: ignore[attr-defined]  # likewise
        torch.set_deterministic_debug_mode(mode)
