"""Python's garbage collector, at rest for a moment."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """No collection of cycles meanwhile; afterwards as it was.

    The first use of `torch.func` in a process loads torch's compiler, a hundred thousand objects:
    going through all of them again and again takes a quarter of the whole first cross-check.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
