"""`torchref check`: one's own Functions by their address, and all that can be wrong with that."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "check.md").read_text(encoding="utf-8")
KERNELS, CASES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SHOWN = re.findall(r"```\n(BiasGelu.*?)```", PAGE, re.DOTALL)[0].rstrip()
INPUTS = ("--inputs", "randn(4, 3), randn(3)")
MANY = """
import os, signal, sys, torch
print("printed at import")

class Sine(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.sin(x)
    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * torch.cos(x)

class Flipped(Sine):
    @staticmethod
    def backward(ctx, grad_y):
        return -Sine.backward(ctx, grad_y)

class Raises(Sine):
    @staticmethod
    def backward(ctx, grad_y):
        raise RuntimeError("no luck [red]")

class Leaves(Sine):
    @staticmethod
    def backward(ctx, grad_y):
        sys.exit(0)

class Stopped(Sine):
    @staticmethod
    def backward(ctx, grad_y):
        signal.raise_signal(signal.SIGINT)

class Aborts(Sine):
    @staticmethod
    def backward(ctx, grad_y):
        os.abort()

class Bare(torch.autograd.Function): pass
class Misfit(Sine): pass
class Without(Sine): pass
def twice(x, by: int = 2): return by * x
class Scale(torch.nn.Module):
    def __init__(self, n=1):
        super().__init__()
        self.w = torch.nn.Parameter(torch.ones(3))
    def forward(self, x): return x * self.w
class Needs(torch.nn.Module):
    def __init__(self, n): super().__init__()
class Plain: pass
lock = __import__("threading").Lock()
def sine(x): return torch.sin(x)
def x(): return torch.randn(3)
def one_by_one():
    yield torch.randn(3)
    yield (torch.randn(2),)
def fails(): raise ValueError("no luck")
def empty(): return []
def typo(): return {"input": 3}
def small(x): return x < 100
sine_reference = torch.sin
"""
ENTRIES = {
    "Sine": "[(x(),), {'x': x()}]",
    "flipped": "x()",
    "Raises": "(x(),)",
    "twice": "{'inputs': (x(),), 'reference': lambda x, by=2: x + x}",
    "Misfit": "(x(), x())",
    "gone": "x()",
    "Leaves": "x()",
}

pytestmark = pytest.mark.usefixtures("_modules_kept")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where one works: with the kernels of the page, and a file of many Functions."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kernels.py").write_text(KERNELS)
    (tmp_path / "many.py").write_text(MANY)
    cases = ", ".join(f"'{name}': {value}" for name, value in ENTRIES.items())
    (tmp_path / "cased.py").write_text(f"{MANY}\ncases = {{{cases}}}\n")
    return tmp_path


@pytest.mark.usefixtures("folder")
class TestOne:
    def test_from_a_file_to_the_cause_as_the_page_shows(self, run) -> None:
        reference = ("--reference", "gelu_reference")
        status, out, err = run("check", "kernels.py:BiasGelu", *INPUTS, *reference)
        assert (status, err) == (1, "")
        assert out.startswith(SHOWN)

    def test_a_file_with_its_cases(self, run, folder: Path) -> None:
        (folder / "cased_kernels.py").write_text(KERNELS + CASES)
        status, out, _ = run("check", "cased_kernels.py", "--no-isolate")
        assert status == 1
        assert out.startswith(
            "BiasGelu against gelu_reference: wrong\n  1. constant-factor in bias"
        )

    @pytest.mark.parametrize(
        ("target", "options", "status", "told"),
        [
            ("many.py:Sine", ["--inputs", "randn(3)"], 0, "Sine against sin: right"),
            ("many:Sine", ["--inputs", "x=randn(3)", "--order", "2"], 0, "right"),
            ("many.py:Sine.apply", ["--cases", "x"], 0, "Sine against sin: right"),
            ("many.py:sine", ["--cases", "many.py:one_by_one"], 0, "right"),
            ("many.py:Scale", ["--inputs", "randn(2, 3)", "--wrt", "w"], 0, "Scale: right"),
            ("many.py:twice", ["--inputs", "by=3, x=randn(3)"], 0, "twice: right"),
            ("many.py:Flipped", ["--inputs", "randn(3)"], 1, "sign-flipped in x"),
            ("many.py:Raises", ["--inputs", "randn(3)"], 1, "RuntimeError: no luck [red]"),
            (
                "many.py:Flipped",
                ["--inputs", "randn(3)", "--expect", "sign-flipped=meant", "--reference", "sine"],
                0,
                "expected: sign-flipped in x[",
            ),
            (
                "many.py:Flipped",
                ["--inputs", "randn(3)", "--surrogate", "sine"],
                1,
                "with the gradient of sine: wrong",
            ),
            (
                "torch.nn.functional:silu",
                [
                    "--inputs",
                    "randn(4).double()",
                    "--inputs",
                    "randn(2)",
                    "--domain",
                    "many.py:small",
                ],
                0,
                "silu: right",
            ),
            ("many.py:sine", ["--inputs", "randn(3)", "--no-vary"], 0, "by vary="),
            ("many.py:sine", ["--inputs", "randn(3)", "--vary", "values"], 0, "layouts of"),
        ],
    )
    def test_a_verdict(self, run, target: str, options: list[str], status: int, told: str) -> None:
        quick = [] if "vary" in str(options) else ["--quick"]
        ended, out, err = run("check", target, *options, *quick, "--no-isolate")
        assert (ended, err.replace("printed at import\n", "")) == (status, "")
        assert told.removeprefix("layouts of") in out

    def test_a_seed_repeats(self, run) -> None:
        call = ("check", "many.py:Flipped", "--cases", "x", "--quick", "--no-isolate", "--seed")
        assert run(*call, 3)[1] == run(*call, 3)[1] != run(*call, 4)[1]

    @pytest.mark.parametrize(
        ("target", "options", "told"),
        [
            ("", [], "FILE.py:NAME or PACKAGE.MODULE:NAME"),
            ("kernels.py:", [], "Write kernels.py:NAME."),
            ("kernel.py", [], "kernel.py is not there"),
            ("kernels.BiasGelu", [], "stands after a colon: kernels:BiasGelu"),
            ("kernels.py:BiasGELU", [], "Did you mean BiasGelu?"),
            ("kernels.py:BiasGelu", [], '--inputs "x=randn(4, 3), bias=randn(4, 3)"'),
            ("kernels.py", ["--inputs", "randn(4, 3)"], "missing a required argument: 'bias'"),
            ("kernels.py:BiasGelu", ["--inputs", "randn(3), bais=randn(3)"], "Did you mean bias?"),
            ("kernels.py:BiasGelu", ["--inputs", "randn(3), 1, 2"], "too many positional"),
            ("kernels.py:BiasGelu", ["--inputs", "randm(3)"], "Did you mean randn?"),
            (
                "kernels.py:BiasGelu",
                [*INPUTS, "--reference", "gelu_ref"],
                "Did you mean gelu_reference?",
            ),
            ("kernels.py:BiasGelu", [*INPUTS, "--wrt", "z"], "wrt must name"),
            ("kernels.py:BiasGelu", [*INPUTS, "--order", "3"], "order must be 1"),
            (
                "kernels.py:BiasGelu",
                [*INPUTS, "--expect", "transpose=x"],
                "Did you mean transposed?",
            ),
            ("kernels.py:BiasGelu", [*INPUTS, "--expect", "transposed"], "--expect transposed="),
            ("kernels.py:BiasGelu", [*INPUTS, "--vary", "size"], "Did you mean sizes?"),
            (
                "kernels.py:BiasGelu",
                [*INPUTS, "--vary", "sizes", "--no-vary"],
                "not stand together",
            ),
            ("kernels.py:BiasGelu", [*INPUTS, "--tolerance", "2"], "tolerance must be"),
            ("kernels.py:BiasGelu", [*INPUTS, "--precision", "half"], "precision must be"),
            ("kernels.py:BiasGelu", [*INPUTS, "--seconds", "-1"], "seconds must be"),
            ("kernels.py:BiasGelu", [*INPUTS, "--device", "tpu"], "--device must be"),
            ("kernels.py:BiasGelu", [*INPUTS, "--json", "."], "--json must be a file"),
            ("kernels.py:BiasGelu", [*INPUTS, "--json", "-", "--junit", "-"], "must differ"),
            ("kernels.py:BiasGelu", ["--inputs", "arange(3), 1"], "at least one input must be"),
            ("many.py:Needs", ["--inputs", "randn(3)"], "missing a required argument: 'n'"),
            ("many.py:Plain", ["--inputs", "randn(3)"], "a Module or a function"),
            ("many.py:Bare", ["--inputs", "randn(3)"], "a Function must have a forward"),
            ("many.py:sine", ["--cases", "fails"], "ValueError came out of it: no luck"),
            ("many.py:sine", ["--cases", "empty"], "an empty list arrived"),
            ("many.py:sine", ["--cases", "typo"], "Did you mean inputs?"),
            ("many.py:sine", ["--cases", "lock"], "must be a tuple of arguments"),
            ("many.py", ["--inputs", "randn(3)"], "--inputs must be given for one candidate"),
            ("json", [], "TARGET must define a torch.autograd.Function"),
            (
                "many.py:twice",
                ["--inputs", "randn(3)", "--inputs", "a=1"],
                "Give each by its place",
            ),
        ],
    )
    def test_bad_input_is_one_message(
        self, run, target: str, options: list[str], told: str
    ) -> None:
        status, out, err = run("check", target, *options, "--no-isolate")
        assert status == 2
        assert out == ""
        assert told in err
        assert "error:" in err


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
        assert "Misfit: error: the inputs of Misfit must be" in err
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

    def test_a_file_that_takes_no_more_leaves_the_others(self, run, folder: Path) -> None:
        if not Path("/dev/full").exists():
            pytest.skip("needs /dev/full")
        call = ("check", "many.py:Flipped", "--inputs", "randn(3)", "--quick", "--no-isolate")
        status, out, err = run(*call, "--json", "/dev/full", "--junit", "reports.xml")
        assert status == 2
        assert "sign-flipped in x" in out
        assert "/dev/full cannot be: No space left on device" in err
        assert "sign-flipped" in (folder / "reports.xml").read_text()


def program(folder: Path, *arguments: str, **kwargs) -> subprocess.Popen[str]:
    call = [sys.executable, "-m", "torchref", "check", *arguments]
    return subprocess.Popen(call, cwd=folder, stderr=subprocess.PIPE, text=True, **kwargs)


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
    assert "note: held is checked in this process, which a crash would end" in err
    assert run("check", "locked.py:held", "--inputs", "randn(3)", "--isolate")[0] == 2


@pytest.mark.parametrize("to", ["pipe that nobody reads", "/dev/full"])
def test_standard_output_that_takes_no_more(folder: Path, to: str) -> None:
    if to == "/dev/full" and not Path(to).exists():
        pytest.skip("needs /dev/full")
    call = (
        "many.py:Flipped",
        "--inputs",
        "randn(3)",
        "--quick",
        "--no-isolate",
        "--json",
        "r.json",
    )
    if to == "/dev/full":
        with Path(to).open("w") as full, program(folder, *call, stdout=full) as process:
            _, err = process.communicate(timeout=120)
    else:
        with program(folder, *call, stdout=subprocess.PIPE) as process:
            assert process.stdout
            process.stdout.close()
            assert process.stderr
            err = process.stderr.read()
    assert process.returncode == 2
    assert "Flipped: wrong: sign-flipped in x[" in err
    assert "error: standard output takes no more" in err
    assert "Traceback" not in err
    assert "Exception ignored" not in err
    assert json.loads((folder / "r.json").read_text())["reports"][0]["verdict"] == "wrong"


def test_ctrl_c_while_torch_is_imported_is_quiet(folder: Path) -> None:
    (folder / "torch.py").write_text(
        "import sys, time\nprint('importing', file=sys.stdout, flush=True)\ntime.sleep(60)\n"
    )
    with program(folder, "kernels.py", stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == "importing\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT  # which a shell calls 130
    assert err == ""
