"""What an audit did not see of a program, and why."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from torchref.auditor.recording.recorder import MOST_CLASSES, Seen
from torchref.auditor.twins import suggestions


def compiled_frames() -> int:
    """How many frames torch.compile has traced in this process so far."""
    dynamo = sys.modules.get("torch._dynamo.utils")
    return 0 if dynamo is None else dynamo.counters["frames"]["ok"]


def notes_on(
    seen: Iterable[Seen],
    names: Sequence[str],
    frames: int,
    references: Mapping[str, Any],
    expect: Mapping[str, str],
) -> Iterator[str]:
    """Of torch's own Functions, of what torch.compile has traced, and of names that fit none."""
    for option, given in (("reference", references), ("expect", expect)):
        for name in given:
            if name not in names:
                yield f"{option} names {name}, and no such Function was applied"
    yield from suggestions([name for name in names if name not in references])
    of_torch = [s.definition for s in seen if s.definition.is_of_torch]
    theirs = {f"{each.module}.{each.qualname}" for each in of_torch if not each.is_of_compiler}
    if theirs:
        yield f"torch's own, and not checked: {', '.join(sorted(theirs))}"
    if frames:
        yield (
            f"torch.compile traced {frames} frame{'s' * (frames > 1)}, whose Functions are not "
            "seen; TORCH_COMPILE_DISABLE=1 runs the program without it"
        )


def why_not_kept(seen: Seen) -> str:
    """Why no call of a Function could be checked."""
    if not seen.differentiated:
        return "no gradient was asked of it: its backward never ran"
    reasons = seen.left_out.items()
    return "; ".join(
        f"not checked: {why} ({count:,} call{'s' * (count > 1)})" for why, count in reasons
    )


def note_on_classes(seen: Seen) -> str:
    """Of those that one definition makes again and again, which were checked."""
    if seen.classes <= MOST_CLASSES:
        return ""
    return f"its class was made {seen.classes:,} times: the first {MOST_CLASSES} were checked"
