"""Which Functions `scan` finds in sources, and what it says where it finds none."""

import importlib
import json
import pkgutil
import sys
from pathlib import Path

import pytest
from torch.autograd import Function

import torchref
from tests.auditor.sources import HEAD, traits, write
from torchref.auditor.scan import scan, survey
from torchref.cli.auditing.scan import scan_command
from torchref.errors import InputError

FOUND_BY = """
import torch, torch.autograd as ag
from torch.autograd import Function as Fn
from torch import autograd
from .base import Base
from . import names
class A(torch.autograd.Function): pass
class B(ag.Function): pass
class C(Fn): pass
class D(autograd.Function): pass
class E(Base): pass
class G(names.Again): pass
class NotOne(dict): pass
class Outer:
    class Inner(Fn): pass
def make():
    class Hidden(Fn): pass
    return Hidden.apply
if torch.cuda.is_available():
    class OnCuda(Fn): pass
swish = A.apply
def call(x):
    return swish(x)
"""


def test_functions_by_imports_aliases_and_bases_in_other_files(tmp_path: Path) -> None:
    base = "import torch\nclass Base(torch.autograd.Function): pass\n"
    names = "from .base import *\nAgain = Base\n"
    write(tmp_path, pk__base=base, pk__names=names, pk__all=FOUND_BY)
    found = {each.address: each for each in scan(str(tmp_path / "pk"))}
    named = ["A", "B", "C", "D", "E", "G", "Outer.Inner", "make.<locals>.Hidden", "OnCuda"]
    assert set(found) == {"pk.base:Base", *(f"pk.all:{name}" for name in named)}
    hidden = found["pk.all:make.<locals>.Hidden"]
    assert not hidden.reachable
    assert hidden.check_call is None
    assert [each.wrapper for each in hidden.applied] == ["pk.all:make"]
    assert found["pk.all:OnCuda"].condition == "if torch.cuda.is_available()"
    wrappers = {each.wrapper for each in found["pk.all:A"].applied}
    assert wrappers == {"pk.all:swish", "pk.all:call"}


def test_a_custom_op_with_a_gradient(tmp_path: Path) -> None:
    text = """
    import torch
    @torch.library.custom_op("my::sine", mutates_args=())
    def sine(x: torch.Tensor) -> torch.Tensor:
        return x.sin()
    @torch.library.custom_op("my::bare", mutates_args=())
    def bare(x: torch.Tensor) -> torch.Tensor:
        return x.sin()
    def keep(ctx, inputs, output):
        ctx.save_for_backward(inputs[0].cos())
    def back(ctx, g):
        return g * ctx.saved_tensors[0]
    sine.register_autograd(back, setup_context=keep)
    """
    (found,) = scan(str(write(tmp_path, f=text) / "f.py"))
    assert (found.address.rpartition(":")[2], found.style) == ("sine", "custom op")
    assert traits(found) == {"saves an intermediate"}


def test_files_that_cannot_be_read_are_skipped_and_told(tmp_path: Path) -> None:
    good = f"{HEAD}class F(Function): pass\n"
    write(tmp_path, pk__good=good, pk__old="print 'two'\n")
    (tmp_path / "pk" / "latin.py").write_bytes(b"name = '\xe9'\n")
    (tmp_path / "pk" / "nul.py").write_bytes(b"a\0b")
    (tmp_path / "pk" / "deep.py").write_text("x = " + "(" * 5000 + ")" * 5000)
    (tmp_path / "pk" / "gone.py").symlink_to(tmp_path / "nowhere.py")
    found = survey(str(tmp_path / "pk"))
    assert [each.address for each in found.functions] == ["pk.good:F"]
    names = {each.file.name for each in found.skipped}
    assert names == {"old.py", "latin.py", "nul.py", "deep.py", "gone.py"}


def test_nothing_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raises = "raise SystemExit('imported')\n"
    write(tmp_path, raising_pk__f=f"{HEAD}{raises}class F(Function): pass\n")
    (tmp_path / "raising_pk" / "__init__.py").write_text(raises)
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    for where in ("raising_pk", "raising_pk.f", str(tmp_path / "raising_pk" / "f.py")):
        assert [each.address for each in scan(where)] == ["raising_pk.f:F"]
    assert set(sys.modules) == before


def test_a_distribution_is_found_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, other_name__f=f"{HEAD}class F(Function): pass\n")
    info = tmp_path / "my_kernels-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-kernels\nVersion: 1.0\n")
    (info / "top_level.txt").write_text("other_name\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert [each.address for each in scan("my-kernels")] == ["other_name.f:F"]


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("no_such_package", "there is no no_such_package"),
        ("torchreff", "Did you mean torchref[?]"),
        ("", "an empty name arrived"),
        ("./nowhere", "is not there"),
        ("torchref.nothing", "has no module nothing"),
        ("torchref.opss", "Did you mean torchref.ops[?]"),
        ("math", "is compiled"),
    ],
)
def test_what_is_not_there_is_said(where: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        scan(where)


def test_the_command_prints_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, pk__f=f"{HEAD}class F(Function): pass\n", pk__old="print 'two'\n")
    scan_command(str(tmp_path / "pk"), tmp_path / "report.json")
    printed = capsys.readouterr()
    assert "torchref check pk.f:F" in printed.out
    assert "old.py" in printed.err
    (function,) = json.loads((tmp_path / "report.json").read_text())["functions"]
    assert function["address"] == "pk.f:F"
    scan_command(str(tmp_path / "pk"), Path("-"))
    assert json.loads(capsys.readouterr().out)["scanned"] == str(tmp_path / "pk")
    with pytest.raises(InputError, match="none defines one"):
        scan_command(str(write(tmp_path, bare__f="") / "bare"), None)


def test_the_scan_of_torchref_finds_what_importing_it_finds() -> None:
    imported = set()
    for module in pkgutil.walk_packages(torchref.__path__, "torchref."):
        if module.name == "torchref.__main__":
            continue
        try:
            imported_module = importlib.import_module(module.name)
        except ModuleNotFoundError:  # lightning or transformers need not be installed
            if ".integrations." not in module.name:
                raise
            continue
        for each in vars(imported_module).values():
            if isinstance(each, type) and issubclass(each, Function):
                imported.add(f"{each.__module__}:{each.__qualname__}")
    imported = {each for each in imported if each.startswith("torchref.")}
    assert {each.address for each in scan("torchref") if each.reachable} == imported
