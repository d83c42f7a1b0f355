"""The real TensorBoard, on a free port of this machine."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any
from urllib.error import URLError
from urllib.parse import quote, urlencode
from urllib.request import urlopen

PATIENCE = 60  # seconds


@dataclass(frozen=True)
class TensorBoard:
    """A server to ask over HTTP, at the paths that its own pages ask."""

    address: str
    process: subprocess.Popen[bytes]
    errors: IO[bytes]

    def ask(self, path: str, **query: str) -> Any:
        with urlopen(f"{self.address}/data/{path}?{urlencode(query, quote_via=quote)}") as answer:
            return json.loads(answer.read())

    def last_step(self, run: str, tag: str) -> int:
        return self.ask("plugin/scalars/scalars", run=run, tag=tag)[-1][1]

    def wait_until(self, loaded: Callable[[], bool]) -> None:
        """The server answers before it has read the runs, and knows none of them at first."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                if loaded():
                    return
            except (URLError, ConnectionError):
                assert self.process.poll() is None, self.complaint()
            time.sleep(0.1)
        raise AssertionError(f"TensorBoard has not loaded the runs. {self.complaint()}")

    def complaint(self) -> str:
        self.errors.seek(0)
        return self.errors.read().decode()


@contextmanager
def tensorboard(logdir: Path, load_fast: str = "auto") -> Iterator[TensorBoard]:
    """Serves a folder of runs until the block ends."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = str(listener.getsockname()[1])
    line = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir)]
    line += ["--host", "127.0.0.1", "--port", port, f"--load_fast={load_fast}"]
    with TemporaryFile() as errors:  # a pipe that nobody reads would fill up
        server = subprocess.Popen(line, stderr=errors)
        try:
            yield TensorBoard(f"http://127.0.0.1:{port}", server, errors)
        finally:
            server.terminate()
            server.wait()
