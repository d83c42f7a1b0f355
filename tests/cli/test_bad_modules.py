"""`torchref check` of modules that end or hold up the process which imports them."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs import SINE
from torchref.cli.supervision import supervisor

IMPORTS = """
import ctypes, faulthandler, os, signal, sys, threading, time, torch
"""
CASES = """
faulthandler.disable()  # of the pytest that is forked

class Odd(BaseException): ...
Sine_cases = [(torch.ones(3),)]
"""
MODULE = IMPORTS + SINE + CASES
TO_THE_COMMAND = "os.kill(os.getppid(), signal.SIGINT); "
CALL = ("check", "bad.py", "--quick", "--no-isolate")
IMPORT = "the import of bad.py must not end the process, but the process"

pytestmark = pytest.mark.usefixtures("_modules_kept")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("os._exit(0)", f"{IMPORT} ended with exit status 0"),
        ("os.abort()", f"{IMPORT} was ended by SIGABRT"),
        ("ctypes.string_at(0)", f"{IMPORT} was ended by SIGSEGV"),
        ("sys.exit(0)", "SystemExit came out of it: 0."),
        ("raise KeyboardInterrupt", "KeyboardInterrupt came out of it."),
        ("raise Odd('no luck')", "Odd came out of it: no luck."),
        ("input()", "came out of it: "),
        ("cases = lambda: os._exit(0)", "the cases of bad.py must not end the process"),
        ("sine_cases = Sine_cases = lambda: os._exit(0)", "the cases of Sine must not end"),
        ("cases = lambda: exec('raise Odd')", "cases must be a function"),
        ("\0", "source code string cannot contain null bytes"),
    ],
)
def test_a_module_that_ends_its_process_is_one_message(
    run, folder: Path, text: str, told: str
) -> None:
    (folder / "bad.py").write_text(f"{MODULE}\n{text}\n")
    status, out, err = run(*CALL)
    assert (status, out) == (2, "")
    assert told in err
    assert "error: " in err


def test_what_else_ends_the_process_leaves_what_was_learnt(run, folder: Path) -> None:
    text = "\nclass Ends(Sine):\n    @staticmethod\n    def backward(ctx, grad_y): os._exit(0)\n"
    more = "class After(Sine): ...\ncases = dict.fromkeys(('Ends', 'After'), torch.ones(3))\n"
    (folder / "bad.py").write_text(MODULE + text + more)
    status, out, err = run(*CALL, "--json", "r.json")
    assert status == 2
    assert "Sine " in out
    assert "Ends: error: the process ended with exit status 0 at " in err
    assert "After: error: the process ended with exit status 0 before" in err
    assert json.loads((folder / "r.json").read_text())["reports"][0]["verdict"] == "right"


def test_what_a_module_has_entered_for_its_end_is_done(run, folder: Path) -> None:
    text = "import atexit\natexit.register(print, 'at its end', file=sys.stderr)\n"
    thread = (
        "threading.Thread(target=threading.Event().wait).start()  # which is waited for by none"
    )
    (folder / "bad.py").write_text(f"{MODULE}\n{text}\n{thread}\n")
    status, _, err = run(*CALL)
    assert (status, err) == (0, "at its end\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("time.sleep(60)", "bad.py: not checked: Ctrl-C came at the import of bad.py"),
        (
            "signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(60)",
            "bad.py: not checked: Ctrl-C came at the import of bad.py",
        ),
    ],
)
def test_ctrl_c_ends_an_import_that_hangs(
    run, folder: Path, monkeypatch: pytest.MonkeyPatch, text: str, told: str
) -> None:
    monkeypatch.setattr(supervisor, "MOST_END", 0.3)
    head, _, body = text.rpartition("; ")
    (folder / "bad.py").write_text(f"{MODULE}\n{head}\n{TO_THE_COMMAND}{body}\n")
    status, out, err = run(*CALL, "--json", "r.json")
    assert (status, out) == (130, f"{told}\n")
    assert err == "interrupted: what was not tried by then was not checked\n"
    assert json.loads((folder / "r.json").read_text())["interrupted"]


@pytest.mark.slow
def test_sigterm_leaves_what_was_learnt_and_no_process(folder: Path) -> None:
    text = (
        "\nclass Hangs(Sine):\n    @staticmethod\n    def forward(ctx, x):\n"
        "        print('pids', os.getpid(), os.getppid(), file=sys.stderr, flush=True)\n"
        "        time.sleep(60)\ncases = {'Sine': torch.ones(3), 'Hangs': torch.ones(3)}\n"
    )
    (folder / "bad.py").write_text(MODULE + text)
    process = subprocess.Popen(
        [sys.executable, "-m", "torchref", "check", "bad.py", "--quick"],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    _, *pids = process.stderr.readline().split()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 143
    assert err == "ended by SIGTERM: what was not tried by then was not checked\n"
    assert "│ Sine " in out
    assert "Hangs: cannot tell" in out
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)
