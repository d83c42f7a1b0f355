"""What the commands print at 20, 40, 80 and 200 columns: the same words, each of them whole."""

import re
import sys
from collections.abc import Callable
from functools import partial
from io import StringIO

import pytest
import torch
from rich.console import Console

import torchref
from experiments.lecture import worked_example
from experiments.lecture.statements import Statements
from torchref import cli
from torchref.auditor.report.text import show
from torchref.cli import mutate, ops
from torchref.ops import SoftmaxCrossEntropy
from torchref.testing.mutation.kinds import KINDS
from torchref.testing.mutation.results import Mutant, Mutated, MutationReport
from torchref.testing.mutation.target import Target

NARROWEST = 20
BORDERS = re.compile("[\u2500-\u257f]")
FEW = {name: ops.CATALOGUE[name] for name in ("Affine", "SoftmaxCrossEntropy")}
FILE = """
import torch
class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)
    @staticmethod
    def backward(ctx, grad_y):
        return torch.sigmoid(ctx.saved_tensors[0])
class Twice(torch.autograd.Function):
    forward = staticmethod(lambda ctx, x: 2 * x)
    backward = staticmethod(lambda ctx, grad_y: 2 * grad_y)
cases = {"Swish": torch.ones(3), "Twice": torch.ones(3)}
"""
COMMANDS = [
    "crosscheck Sigmoid SoftmaxCrossEntropy",
    "ops",
    "causes",
    "explain two-neuron-chain",
    "explain log-loss-network --all --iterations 6",
    "explain --sizes 3,2,2 --loss squared",
    "check swish.py --quick --no-isolate",
    "audit --scan swish.py",
]


class Thrice(torch.autograd.Function):
    """A gradient that is not its own."""

    @staticmethod
    def forward(ctx, x):  # noqa: ARG004  # torch passes a ctx
        return 3 * x

    @staticmethod
    def backward(ctx, grad_y):  # noqa: ARG004  # torch passes a ctx
        return 2 * grad_y


def words(text: str) -> set[str]:
    lines = (line for line in text.splitlines() if "torchref check swish.py" not in line)
    tokens = BORDERS.sub(" ", " ".join(lines)).split()
    return {each.rstrip(":") for each in tokens if len(each) < NARROWEST - 1}


def assert_words_kept(told: Callable[[int], str]) -> None:
    whole = words(told(200))
    assert len(whole) > 5
    for width in (NARROWEST, 40, 80):
        text = told(width)
        missing = whole - words(text)
        assert not missing, f"{missing} at {width} columns:\n{text}"
        to_copy = "torchref check"  # a command is printed whole
        lines = [line for line in text.splitlines() if to_copy not in line]
        assert max(map(len, lines)) <= width, text


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_keeps_its_words(
    command: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "swish.py").write_text(FILE)
    monkeypatch.setattr(ops, "CATALOGUE", FEW)
    monkeypatch.setattr(cli.out, "_force_terminal", True)
    monkeypatch.setattr(cli.out, "_color_system", None)
    monkeypatch.setattr(sys, "argv", ["torchref", *command.split()])

    def told(width: int) -> str:
        monkeypatch.setattr(cli.out, "width", width)
        monkeypatch.setenv("COLUMNS", str(width))
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert end.value.code in (0, 1)
        return capfd.readouterr().out

    assert_words_kept(told)


def printed(tell: Callable[[Console], None], width: int) -> str:
    console = Console(file=StringIO(), width=width, force_terminal=True, color_system=None)
    tell(console)
    return console.file.getvalue()


def test_an_audit_keeps_its_words() -> None:
    x = torch.randn(4, 3, requires_grad=True)
    with torchref.audit() as program:
        loss = SoftmaxCrossEntropy.apply(Thrice.apply(x), torch.eye(4, 3))
        loss.sum().backward()
    assert_words_kept(partial(printed, partial(show, program.report())))


def test_a_mutation_run_keeps_its_words() -> None:
    target = Target("package.swish.SwishFunction", "swish.py", 3, ("x", "beta"))
    each = Mutated(target, ["test_swish.py::test_it"])
    each.mutants = [Mutant(target, (next(iter(KINDS)), 0, None), "survived")]
    report = MutationReport([each], 1, 2.0, True)
    assert_words_kept(partial(printed, partial(mutate._show, report)))


@pytest.mark.parametrize("what", ["statements", "worked example"])
def test_the_tables_of_an_experiment_keep_their_words(
    what: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stated = Statements()
    stated.equal("the gradient, by hand and by autograd", 1.0, 1.0)
    example = partial(worked_example.show, torch.device("cpu"))
    show = {"statements": stated.show, "worked example": example}

    def told(width: int) -> str:
        monkeypatch.setenv("COLUMNS", str(width))
        show[what]()
        return capsys.readouterr().out.partition("The lecture goes on")[0]

    assert_words_kept(told)
