"""Who answers Ctrl-C before an experiment runs: whoever imports it, and then Python."""

import signal
import subprocess
import sys

import pytest

from torchref.training import Settings, run_experiment


def test_whoever_imports_an_experiment_keeps_the_answer_to_ctrl_c() -> None:
    look = "import signal, experiments; print(signal.getsignal(signal.SIGINT).__name__)"
    seen = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert seen.stdout == "default_int_handler\n"


def test_once_imported_it_hears_ctrl_c_again(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = []

    def main(settings: Settings) -> None:  # noqa: ARG001
        heard.append(signal.getsignal(signal.SIGINT))

    monkeypatch.setattr("sys.argv", ["experiment"])
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        with pytest.raises(SystemExit):
            run_experiment(main, Settings())
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.default_int_handler]
