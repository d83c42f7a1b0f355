"""What `scan` reads in a source: the Functions, and what each lacks, with its right neighbour."""

import importlib
import json
import pkgutil
import sys
from pathlib import Path
from textwrap import dedent, indent

import pytest
from torch.autograd import Function

import torchref
from torchref.auditor.scan import ScannedFunction, scan, survey
from torchref.cli.scan import scan_command
from torchref.errors import InputError

HEAD = "import torch\nfrom torch.autograd import Function\nfrom torch.autograd.function import "
HEAD += "once_differentiable\n"


def write(folder: Path, **texts: str) -> Path:
    """`pk__a="..."` is pk/a.py, and every folder below has an __init__.py."""
    for name, text in texts.items():
        file = folder.joinpath(*name.split("__")).with_suffix(".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text))
        for above in file.relative_to(folder).parents:
            if above != Path():
                (folder / above / "__init__.py").touch()
    return folder


def one(folder: Path, forward: str, backward: str, mark: str = "") -> ScannedFunction:
    """The one Function with this forward and backward: signature first, then the body."""
    text = f"{HEAD}class F(Function):\n"
    for name, part, marks in (("forward", forward, ""), ("backward", backward, mark)):
        signature, _, body = dedent(part).strip().partition("\n")
        marked = f"    {marks}\n" if marks else ""
        text += (
            f"    @staticmethod\n{marked}    def {name}({signature}):\n{indent(body, ' ' * 8)}\n"
        )
    (folder / "f.py").write_text(text)
    (found,) = scan(str(folder / "f.py"))
    return found


def traits(function: ScannedFunction) -> set[str]:
    return {lack.trait for lack in function.lacks} - {"no setup_context"}


SAVES_X = "ctx, x\nctx.save_for_backward(x)\nreturn x.exp()"
DOUBLES = "ctx, g\nreturn 2 * g"
ONCE = "@once_differentiable"


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (
            "y = x.exp()\nctx.save_for_backward(y)\nreturn 2 * y",
            "ctx.save_for_backward(x)\nreturn x",
        ),
        (
            "y = x.exp()\nctx.save_for_backward(y)\nreturn y.view(-1)",
            "y = x.exp()\nctx.save_for_backward(y)\nreturn y",
        ),
        (
            "ctx.save_for_backward(x.detach())\nreturn x.exp()",
            "ctx.save_for_backward(x > 0)\nreturn x",
        ),
        (
            "x = x.contiguous()\nctx.save_for_backward(x)\nreturn x.exp()",
            "z = x.contiguous()\nctx.save_for_backward(x)\nreturn z.exp()",
        ),
        ("ctx.y = x.exp()\nreturn 2 * x", "ctx.y = x.shape\nreturn 2 * x"),
        (
            "y, r = kernel(x, 3)\nctx.save_for_backward(r)\nreturn y",
            "y, r = kernel(x, 3)\nctx.save_for_backward(r)\nreturn y, r",
        ),
        (
            "m = torch.empty_like(x)\nkernel[1](x, m)\nctx.save_for_backward(m)\nreturn 2 * x",
            "m = torch.rand_like(x)\nctx.save_for_backward(m)\nreturn m * x",
        ),
        (
            "y = x.cos()\nif n:\n    y = x.sin()\nctx.save_for_backward(y)\nreturn 2 * y",
            "y = x\nif n:\n    y = x.cos()\nctx.save_for_backward(y)\nreturn 2 * y",
        ),
        (
            "y = x.exp()\nctx.save_for_backward(y)\nreturn y * 2",
            "outs = []\ny = x.exp()\nouts.append(y)\nctx.save_for_backward(y)\nreturn tuple(outs)",
        ),
    ],
)
def test_an_intermediate_that_is_saved(tmp_path: Path, wrong: str, right: str) -> None:
    signature, gradient = "ctx, x, n=1\n", "ctx, g\nreturn 2 * g, None"
    told = one(tmp_path, signature + wrong, gradient)
    assert traits(told) == {"saves an intermediate"}
    assert traits(one(tmp_path, signature + right, gradient)) == set()
    assert traits(one(tmp_path, signature + wrong, gradient, ONCE)) == set()


def test_an_intermediate_on_one_path_that_has_a_gradient_on_the_other_alone(tmp_path: Path) -> None:
    forward = "ctx, x, n=1\nif n:\n    y = {}\nelse:\n    y = x\ny = y.to(x)\n"
    forward += "ctx.save_for_backward(y)\nreturn x.exp()"
    gradient = "ctx, g\nreturn 2 * g, None"
    assert traits(one(tmp_path, forward.format("torch.ones(3)"), gradient)) == set()
    told = one(tmp_path, forward.format("x.cos()"), gradient)
    assert traits(told) == {"saves an intermediate"}


def test_an_intermediate_of_what_has_no_gradient_is_not_told(tmp_path: Path) -> None:
    forward = "ctx, x, where\nw = where * 2\nctx.save_for_backward(w)\nreturn x.exp()"
    assert traits(one(tmp_path, forward, "ctx, g\nreturn 2 * g, None")) == set()


def test_a_tensor_kept_on_ctx(tmp_path: Path) -> None:
    for kept in ("ctx.x = x\nreturn x.exp()", "y = x.exp()\nctx.y = y\nreturn y"):
        assert traits(one(tmp_path, f"ctx, x\n{kept}", DOUBLES)) == {"keeps a tensor on ctx"}
    number = "ctx, x, rate=0.5\nctx.rate = rate\nreturn rate * x"
    assert traits(one(tmp_path, number, "ctx, g\nreturn ctx.rate * g, None")) == set()


def test_what_is_kept_where_its_type_says_that_it_is_no_tensor(tmp_path: Path) -> None:
    signature = "ctx, x, at: int | torch.Tensor = 0\n"
    asked = "if {}isinstance(at, {}):\n    ctx.at = at\nelse:\n    ctx.save_for_backward(at)\n"
    for test in (("", "int"), ("not ", "torch.Tensor")):
        right = signature + asked.format(*test) + "return x * 2"
        assert traits(one(tmp_path, right, "ctx, g\nreturn 2 * g, None")) == set()
    for test in (("not ", "int"), ("", "torch.Tensor"), ("", "DTensor")):
        wrong = signature + asked.format(*test) + "return x * 2"
        told = one(tmp_path, wrong, "ctx, g\nreturn 2 * g, None")
        assert traits(told) == {"keeps a tensor on ctx"}


def test_a_helper_that_asks_what_is_needed(tmp_path: Path) -> None:
    forward = "ctx, x, w\nctx.save_for_backward(x, w)\nreturn x * w"
    backward = "ctx, g\nx, w = ctx.saved_tensors\nreturn both(g, x, w)"
    one(tmp_path, forward, backward)
    file = tmp_path / "f.py"
    text = file.read_text()
    helper = "def both(g, x, w):\n    a, b = None, None\n    if {}:\n        a = g * w\n"
    helper += "    b = g * x\n    return a, b\n"
    made = "torch.ones(3, requires_grad=x.requires_grad).any()"  # this decides nothing
    told_of = {"ignores needs_input_grad"}
    for test, told in (("x.requires_grad", set()), ("True", told_of), (made, told_of)):
        file.write_text(text + helper.format(test))
        (found,) = scan(str(file))
        assert traits(found) == told


def test_gradients_that_nobody_needs(tmp_path: Path) -> None:
    forward = "ctx, x, w\nctx.save_for_backward(x, w)\nreturn x * w"
    product = "ctx, g\nx, w = ctx.saved_tensors\n"
    told = one(tmp_path, forward, product + "return g * w, g * x")
    assert traits(told) == {"ignores needs_input_grad"}
    assert "x, w" in told.lacks[-1].sentence
    passed_on = one(tmp_path, forward, product + "return g, g * x")
    assert "the gradients of w whether" in passed_on.lacks[-1].sentence
    asks = "if ctx.needs_input_grad[0]:\n    return g * w, None\nreturn g * w, g * x"
    for right in (asks, "return g * w, None", "return helper(ctx, g), g * x"):
        assert traits(one(tmp_path, forward, product + right)) == set()


@pytest.mark.parametrize(
    "body",
    [
        "x, = ctx.saved_tensors\nreturn torch.from_numpy(x.cpu().numpy())",
        "return g.detach() * 2",
        "import cuda.tile as ct\ny = torch.empty_like(g)\nct.launch(0, (1,), k, (g, y))\nreturn y",
        "return g.data * 2",
        "with torch.no_grad():\n    y = g * 2\nreturn y",
        "x, = ctx.saved_tensors\nreturn torch.autograd.grad(ctx.y, x, g)[0]",
    ],
)
def test_a_backward_that_cannot_be_differentiated(tmp_path: Path, body: str) -> None:
    backward = f"ctx, g\n{body}"
    assert traits(one(tmp_path, SAVES_X, backward)) == {"not once_differentiable"}
    assert traits(one(tmp_path, SAVES_X, backward, ONCE)) == set()


def test_a_backward_that_can_be_differentiated(tmp_path: Path) -> None:
    fills = "y = torch.empty_like(g)\ny[...] = 2 * g\nreturn y"  # autograd records the copy
    graph = "return torch.autograd.grad(ctx.y, ctx.x, g, create_graph=True)[0]"
    for body in (fills, graph, "n = g.shape\nreturn g * 2"):
        assert traits(one(tmp_path, SAVES_X, f"ctx, g\n{body}")) == set()


def test_a_kernel_behind_helpers_in_other_files(tmp_path: Path) -> None:
    kernel = "import triton\n@triton.jit\ndef k(p):\n    pass\ndef launch(g):\n    k[(1,)](g)\n"
    function = f"""{HEAD}from .kernels import launch as go
class F(Function):
    @staticmethod
    def forward(ctx, x):
        return x
    @staticmethod
    def backward(ctx, g):
        go(g)
        return g
"""
    write(tmp_path, pk__kernels=kernel, pk__f=function)
    (found,) = scan(str(tmp_path / "pk"))
    (lack,) = (lack for lack in found.lacks if lack.trait == "not once_differentiable")
    assert "go, which launches the kernel k in kernels.py:6" in lack.sentence
    assert lack.line == 11


@pytest.mark.parametrize(
    ("forward", "backward"),
    [
        ("x.mul_(2)\nreturn x.exp()", "return 2 * g"),
        ("x += 1\nreturn x.exp()", "return 2 * g"),
        ("x.view(-1)[0] = 1\nreturn x.exp()", "return 2 * g"),
        ("return x.exp()", "g *= 2\nreturn g"),
        ("return x.exp()", "g = g.contiguous()\ng[0] = 1\nreturn g"),
        ("return x.exp()", "torch.mul(g, 2, out=g)\nreturn g"),
        ("ctx.save_for_backward(x)\nreturn x.exp()", "x, = ctx.saved_tensors\nx.add_(1)\nreturn x"),
    ],
)
def test_what_is_written_in_place(tmp_path: Path, forward: str, backward: str) -> None:
    told = one(tmp_path, f"ctx, x\n{forward}", f"ctx, g\n{backward}")
    assert traits(told) == {"writes in place"}


def test_what_may_be_written(tmp_path: Path) -> None:
    copy = "ctx, x\ny = x.clone()\ny.mul_(2)\nreturn y"
    marked = "ctx, x\nctx.mark_dirty(x)\nx.mul_(2)\nreturn x"
    operand = "ctx, g\nreturn kernel_of_another(g, out=g)"  # not torch's: it may read it
    assert traits(one(tmp_path, SAVES_X, operand)) == set()
    fresh = "ctx, g\nh = g * 2\nh += 1\nn = 3\nn += 1\nreturn h"
    for forward, backward in ((copy, DOUBLES), (marked, DOUBLES), (SAVES_X, fresh)):
        assert traits(one(tmp_path, forward, backward)) == set()


def test_the_number_of_gradients(tmp_path: Path) -> None:
    two = "ctx, x, n\nreturn x * n"
    for wrong in ("return 2 * g", "return (2 * g,)", "return 2 * g, None, 1 * g"):
        assert traits(one(tmp_path, two, f"ctx, g\n{wrong}")) == {"number of gradients"}
    for right in ("return 2 * g, None", "return 2 * g, None, None", "return (2 * g,) + ctx.rest"):
        assert traits(one(tmp_path, two, f"ctx, g\n{right}")) == set()
    assert traits(one(tmp_path, "ctx, x, n=1\nreturn x * n", DOUBLES)) == set()


def test_a_backward_that_is_not_there(tmp_path: Path) -> None:
    forward = "class F(Function):\n    @staticmethod\n    def forward(ctx, x):\n        return x\n"
    write(tmp_path, lone=HEAD + forward, unknown=f"from far import Base\n{HEAD}{forward}")
    text = (tmp_path / "unknown.py").read_text().replace("F(Function)", "F(Base, Function)")
    (tmp_path / "unknown.py").write_text(text)
    by_file = {each.file.name: traits(each) for each in scan(str(tmp_path))}
    assert by_file == {"lone.py": {"no backward"}, "unknown.py": set()}


def test_setup_context(tmp_path: Path) -> None:
    text = f"""{HEAD}
def keep(ctx, inputs, output):
    x, w = inputs
    ctx.save_for_backward(x, {{}}, output)
class F(Function):
    setup_context = staticmethod(keep)
    @staticmethod
    def forward(x, w: float = 2.0):
        return x * w
    @staticmethod
    def backward(ctx, g):
        return g, None
"""
    for kept, told in (("x", set()), ("x.exp()", {"saves an intermediate"})):
        (tmp_path / "f.py").write_text(text.format(kept))
        (found,) = scan(str(tmp_path / "f.py"))
        assert found.style == "setup_context"
        assert {lack.trait for lack in found.lacks} == told
        assert found.check_call is not None
        assert found.check_call.endswith('f.py:F --inputs "x=randn(4, 3), w=2.0"')


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
        for each in vars(importlib.import_module(module.name)).values():
            if isinstance(each, type) and issubclass(each, Function):
                imported.add(f"{each.__module__}:{each.__qualname__}")
    imported = {each for each in imported if each.startswith("torchref.")}
    assert {each.address for each in scan("torchref") if each.reachable} == imported
