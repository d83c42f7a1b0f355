"""Work in a fork of this process."""

import os
import sys
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress


def fork(work: Callable[[], None], status: int = 0) -> int:
    """The id of a fork, which works and ends with the status; with 1 where the work raises."""
    _flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python warns of threads, which whoever forks has to know
        child = os.fork()
    if child:
        return child
    ended = 1
    try:
        work()
        ended = status
    except BaseException:
        traceback.print_exc()
    finally:
        _flush()
        os._exit(ended)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # full, closed, or None
            stream.flush()
