"""What forward and setup_context lack: what they keep for backward, and what they write."""

from collections.abc import Iterator

from torchref.auditor.scan.backward_lacks import is_once_differentiable
from torchref.auditor.scan.flow.expressions import short
from torchref.auditor.scan.flow.record import Kept, Record
from torchref.auditor.scan.flow.value import Value
from torchref.auditor.scan.found import Lack
from torchref.auditor.scan.names import Definition
from torchref.auditor.scan.reading import Reading

COMPUTED = ("made", "result", "view", "perhaps itself")


def forward_lacks(reading: Reading) -> Iterator[Lack]:
    """What the source shows that forward lacks, line by line."""
    rule = reading.rule
    if rule.forward is None:
        return
    if rule.style == "forward(ctx, ...)" and rule.is_whole:
        line = rule.forward.node.lineno
        sentence = "forward takes ctx, and there is no setup_context: torch.func refuses it."
        yield Lack("no setup_context", line, sentence, rule.forward.path)
    keeper = rule.setup_context or rule.forward
    record = reading.setup_context
    if record is not None and not record.ctx_escapes:
        for kept in record.kept:
            yield from _of_kept(kept, record, reading, keeper)
    if reading.forward is not None and not rule.mutates:
        yield from _writes(reading.forward, record, rule.forward)


def _of_kept(kept: Kept, record: Record, reading: Reading, keeper: Definition) -> Iterator[Lack]:
    line, path = kept.expr.lineno, keeper.path
    are_tensors = all(value.is_tensor for value in kept.values)
    followed = all(value.kind in (*COMPUTED, "input") for value in kept.values)
    if not kept.values or not (are_tensors or (kept.attribute is None and followed)):
        return
    computed = [value for value in kept.values if value.kind in COMPUTED]
    computed.sort(key=lambda value: (value.key, value.kind, value.text))
    if len(computed) < len(kept.values) or any(record.is_returned(each) for each in computed):
        yield from _whole(kept, record, line, keeper)
        return
    each_from = (record.depends_on(frozenset([value])) for value in computed)
    if not all(reading.may_have_gradient(names) for names in each_from):
        return
    if is_once_differentiable(reading):
        return
    where = "saves" if kept.attribute is None else f"keeps as ctx.{kept.attribute}"
    what = _told(kept, computed[-1], record)
    sentence = f"{where} {what}: a second derivative does not pass through it."
    yield Lack("saves an intermediate", line, sentence, path)


def _whole(kept: Kept, record: Record, line: int, keeper: Definition) -> Iterator[Lack]:
    """An input or an output that ctx holds by an attribute."""
    if kept.attribute is None or not all(value.is_tensor for value in kept.values):
        return
    names = sorted(value.text for value in kept.values if value.kind == "input")
    if len(names) == len(kept.values):
        what = f"the input {' or '.join(names)}"
        after = "a change of it in place before backward goes unseen"
    elif all(value.kind == "output" or record.is_returned(value) for value in kept.values) and all(
        value.kind in ("output", *COMPUTED) and value.key not in record.escaped
        for value in kept.values
    ):
        what = "an output"
        after = "the two hold each other, and a change in place before backward goes unseen"
    else:
        return
    sentence = f"keeps {what} as ctx.{kept.attribute}, not by save_for_backward: {after}."
    yield Lack("keeps a tensor on ctx", line, sentence, keeper.path)


def _told(kept: Kept, value: Value, record: Record) -> str:
    """The intermediate, by the words of the source."""
    name = short(kept.expr) if kept.attribute is None else ""
    prefix = f"{name}, " if name.isidentifier() else ""
    origin = "the output" if value.root.kind == "output" else f"the input {value.root.text}"
    of_input = value.root.kind in ("input", "output")
    if value.kind == "perhaps itself" and of_input:
        return f"{prefix}{value.text}, {origin} itself only where nothing is to be copied"
    if value.kind == "view" and of_input:
        return f"{prefix}{value.text}, which is not {origin} itself"
    returned = record.returned_from(value)
    if returned is not None:
        hedge = " (the same only where nothing is to be copied)" * returned.may_be_a_copy
        return f"{prefix}{value.text}, while the output is {returned.text}{hedge}"
    what = "a result of " if value.kind == "result" else ""
    return f"{prefix}{what}{value.text}, neither an input nor an output"


def _writes(record: Record, setup: Record | None, forward: Definition) -> Iterator[Lack]:
    if record.marks_dirty or (setup is not None and setup.marks_dirty) or record.ctx_escapes:
        return
    for write in record.writes:
        roots = [value.root for value in write.values]
        if not roots or not all(root.kind == "input" and root.is_tensor for root in roots):
            continue
        names = " or ".join(sorted({root.text for root in roots}))
        hedge = "perhaps " * any(value.may_be_a_copy for value in write.values)
        sentence = (
            f"{write.how} writes {hedge}into the input {names} in place, without ctx.mark_dirty."
        )
        yield Lack("writes in place", write.line, sentence, forward.path)
