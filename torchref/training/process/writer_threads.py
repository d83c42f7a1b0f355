"""TensorBoard writes in threads of its own: what goes wrong there, and where it is heard of."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def errors_heard_once() -> Iterator[None]:
    """Prints no traceback of an `OSError` that a thread keeps for its owner.

    The next call of the writer raises it again, in the foreground, where it becomes a message.
    """
    before = threading.excepthook

    def hook(args: threading.ExceptHookArgs) -> None:
        kept = getattr(args.thread, "exception", None)
        if not (isinstance(kept, OSError) and kept is args.exc_value):
            before(args)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = before
