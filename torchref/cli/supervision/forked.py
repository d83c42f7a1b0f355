"""A fork of this process, in which the user's code may end what runs it."""

import atexit
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress

from torchref.checker.execution.fork import fork
from torchref.checker.execution.isolation import LOOK
from torchref.cli.supervision.signals import STOPPED, STOPS, stop


class Forked:
    """A fork that works, seen as `subprocess.Popen` shows a process.

    It costs milliseconds, as torch is imported already. A signal to stop raises `StoppedError` in
    the work, and what the work has entered into `atexit` is called at its end.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        def begin() -> None:
            atexit._clear()  # what stands there is for the process that was forked
            STOPPED.forget()
            for number in STOPS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    signal.signal(number, stop)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            work()
            atexit._run_exitfuncs()

        mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        try:
            self._pid = fork(begin)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        self._status: int | None = None

    def poll(self) -> int | None:
        """Its exit status, or the number of the signal that ended it as a negative one."""
        if self._status is None:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
        return self._status

    def wait(self, timeout: float | None = None) -> int:
        begun = time.monotonic()
        while (status := self.poll()) is None:
            if timeout is not None and time.monotonic() - begun > timeout:
                raise subprocess.TimeoutExpired(str(self._pid), timeout)
            time.sleep(LOOK / 10)
        return status

    def send_signal(self, sig: int) -> None:
        if self._status is None:
            with suppress(ProcessLookupError):
                os.kill(self._pid, sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)
