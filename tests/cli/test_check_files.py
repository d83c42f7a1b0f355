"""`torchref check` of all that a file defines: what is checked, told, and left where one ends."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.checked_files import MANY
from tests.full_disk import FULL, needs_full

pytestmark = pytest.mark.usefixtures("_modules_kept")


@pytest.mark.usefixtures("folder")
class TestFile:
    def test_all_that_it_defines(self, run, folder: Path) -> None:
        files = ("--json", "reports.json", "--junit", "reports.xml")
        status, out, err = run("check", "cased.py", "--quick", "--no-isolate", *files)
        assert status == 1
        rows = dict(re.findall(r"│ (\w+) .*│ ([a-z ]+?) +│$", out, re.MULTILINE))
        assert rows == {"Sine": "right", "Flipped": "wrong", "Raises": "wrong", "twice": "right"}
        assert "Without: not checked: " in out
        assert 'torchref check cased.py:Without --inputs "x=randn(4, 3)"' in out
        assert "Bare: not checked: a Function must have a forward" in out
        assert "Misfit: error: the inputs of Misfit must fit" in err
        assert "gone: error: TARGET must name something that cased.py defines" in err
        assert "Leaves: error: SystemExit came out of it: 0" in err
        told = json.loads((folder / "reports.json").read_text())
        assert [report["candidate"] for report in told["reports"]] == [*rows]
        assert {each["name"]: each["error"] for each in told["not_checked"]} == {
            **dict.fromkeys(("Leaves", "Misfit", "gone"), True),
            **dict.fromkeys(("Stopped", "Aborts", "Bare", "Without"), False),
        }
        (suite,) = ElementTree.parse(folder / "reports.xml").getroot()
        assert [suite.get(kind) for kind in ("tests", "failures", "errors", "skipped")] == [
            *("11", "2", "3", "4")
        ]

    @pytest.mark.parametrize(
        ("added", "status"),
        [
            ("cases = {'Sine': x()}", 0),
            ("cases = {'Sine': x(), 'Misfit': (1, 2)}", 2),
            ("cases = lambda: {'sine_function': x()}", 0),
            ("sine_cases = one_by_one", 0),
            ("Sine_cases = _Sine_cases = x", 0),
            ("sine_cases, Sine_cases = x(), x()", 2),
            ("cases = [x()]", 2),
            ("", 2),
        ],
    )
    def test_how_its_cases_are_found(self, run, folder: Path, added: str, status: int) -> None:
        (folder / "added.py").write_text(f"{MANY}\n{added}\n")
        ended, out, err = run("check", "added.py", "--quick", "--no-isolate")
        assert ended == status
        assert ("│ Sine" in out) == (status == 0 or "Misfit" in added)
        assert out + err

    def test_json_alone_goes_to_standard_output(self, run) -> None:
        call = ("check", "many.py:Flipped", "--inputs", "randn(3)", "--quick", "--json", "-")
        status, out, err = run(*call, "--no-isolate")
        assert status == 1
        assert json.loads(out)["reports"][0]["findings"][0]["cause"] == "sign-flipped"
        assert "printed at import" in err
        assert "Flipped against" not in out

    def test_ctrl_c_leaves_what_was_learnt_by_then(self, run, folder: Path) -> None:
        cases = "dict(Flipped=x(), Stopped=x(), twice=x())"
        (folder / "stopped.py").write_text(f"{MANY}\ncases = {cases}\n")
        files = ("--json", "reports.json", "--junit", "reports.xml")
        status, out, err = run("check", "stopped.py", "--quick", "--no-isolate", *files)
        assert status == 130
        assert "sign-flipped in x" in out
        assert "cannot tell: interruption: it was interrupted at" in out
        assert "twice: not checked: Ctrl-C came before" in out
        assert "interrupted: what was not tried by then was not checked" in err
        told = json.loads((folder / "reports.json").read_text())
        assert told["interrupted"]
        assert [report["verdict"] for report in told["reports"]] == ["wrong", "cannot tell"]
        assert ElementTree.parse(folder / "reports.xml")

    @needs_full
    def test_a_file_that_takes_no_more_leaves_the_others(self, run, folder: Path) -> None:
        call = ("check", "many.py:Flipped", "--inputs", "randn(3)", "--quick", "--no-isolate")
        status, out, err = run(*call, "--json", FULL, "--junit", "reports.xml")
        assert status == 2
        assert "sign-flipped in x" in out
        assert f"{FULL} cannot be: No space left on device" in err
        assert "sign-flipped" in (folder / "reports.xml").read_text()


@pytest.mark.slow
def test_a_kernel_that_ends_the_process_ends_no_other(run, folder: Path) -> None:
    cases = "dict(Flipped=x(), Aborts=x())"
    (folder / "aborts.py").write_text(f"{MANY}\ncases = {cases}\n")
    status, out, _ = run("check", "aborts.py", "--quick")
    assert status == 1
    assert "sign-flipped in x" in out
    assert "the process was ended by SIGABRT" in out


def test_what_cannot_be_sent_is_checked_here(run, folder: Path) -> None:
    (folder / "locked.py").write_text(
        f"{MANY}\ndef build():\n    lock = __import__('threading').Lock()\n"
        "    def held(x):\n        with lock:\n            return torch.sin(x)\n"
        "    return held\nheld = build()\n"
    )
    status, out, err = run("check", "locked.py:held", "--inputs", "randn(3)", "--quick")
    assert (status, "held: right" in out) == (0, True)
    assert "note: held is checked beside the others, which a crash would end" in err
    assert run("check", "locked.py:held", "--inputs", "randn(3)", "--isolate")[0] == 2
