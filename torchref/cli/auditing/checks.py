"""What `torchref audit` does once the program has ended: check what was seen, row by row."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from torchref.auditor.audit import Audit
from torchref.cli.supervision.signals import STOPPED, STOPS, stop
from torchref.cli.targets.loading import load, named_in
from torchref.errors import InputError

OPTION = "--reference"


def check(
    audit: Audit, settings: Mapping[str, Any], say: Callable[..., None], was_interrupted: bool
) -> None:
    """Say which Functions there are, then each row as it is done, and the notes at the end."""
    if was_interrupted:
        STOPPED.note(signal.SIGINT)
    for number in STOPS:
        signal.signal(number, stop)  # whatever the program has made of it
    with _output_apart():
        own = audit.seen
        told = [(name, s.definition.file, s.definition.line, s.calls) for name, s in own.items()]
        say("functions", told)
        try:
            references = {name: _loaded(a) for name, a in settings["references"].items()}
            expect, options = settings["expect"], settings["options"]
            for row in audit.rows(references, expect, options, lambda what: say("trying", what)):
                say("row", row)
        except InputError as error:
            say("refused", error.args)
        else:
            say("notes", tuple(audit.notes(references, expect)))


def _loaded(address: str) -> Any:
    """What is at an address; of the program itself, without running it again."""
    where, _, name = address.rpartition(":")
    main = sys.modules["__main__"]
    is_main = where == getattr(getattr(main, "__spec__", None), "name", None)
    if where.endswith(".py"):
        is_main = Path(where).resolve() == Path(getattr(main, "__file__", None) or "").resolve()
    return named_in(main, name, where, OPTION) if is_main else load(address, OPTION)


@contextmanager
def _output_apart() -> Iterator[None]:
    """What Functions print while they are checked goes to standard error."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, AttributeError):  # closed, or None
            stream.flush()
    try:
        kept = os.dup(1)
        os.dup2(2, 1)
    except OSError:  # one of them was closed from the beginning
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError, AttributeError):
            sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
