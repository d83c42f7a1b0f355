"""Ctrl-C while an experiment is still being imported ends it, and says nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from torchref.training import Settings, run_experiment

# Stands for torch, whose import takes long, and turns Ctrl-C into something else on its way.
SLOW = """
import sys, time
print("importing", flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    raise RecursionError("in the midst of an import")
"""


def test_ctrl_c_during_the_imports_is_quiet(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text(SLOW)
    root = str(Path(__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, "-m", "experiments.digits"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), root])},
    ) as experiment:
        assert experiment.stdout
        assert experiment.stdout.readline() == "importing\n"
        experiment.send_signal(signal.SIGINT)
        _, errors = experiment.communicate(timeout=30)
    assert experiment.returncode == -signal.SIGINT  # which a shell calls 130
    assert errors == ""


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
