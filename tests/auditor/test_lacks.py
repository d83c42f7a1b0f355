"""What `scan` says that a Function lacks, with the right neighbour of each."""

from pathlib import Path
from textwrap import dedent, indent

import pytest

from tests.auditor.sources import HEAD, traits, write
from torchref.auditor.scan import ScannedFunction, scan


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
