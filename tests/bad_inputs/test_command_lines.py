"""Bad command lines: each is status 2 and one message, with what must hold, what came and a fix."""

import re
import sys
from pathlib import Path

import pytest

from torchref import cli

FILE = """
import torch
class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)
    @staticmethod
    def backward(ctx, grad_y):
        s = torch.sigmoid(ctx.saved_tensors[0])
        return grad_y * s * (1 + ctx.saved_tensors[0] * (1 - s))
NUMBER = 3
"""
WHOLE = "must be an integer, but"
NO_FILE = "it must name a file, but '' arrived"
NOT_THERE = "must be a file that can be written, but no/a cannot be: No such file or directory."

# Arguments, as a shell splits them; and what is said of them.
OF_ALL = [
    ("''", "a command must be one of check, audit, mutate, crosscheck, explain, causes, ops, but"),
    ("nonsense", "'nonsense' arrived. torchref --help says what each does."),
    ("crosscheck- Sigmoid", "'crosscheck-' arrived. Did you mean crosscheck?"),
    ("--nonsense", "No such option: --nonsense"),
    ("--version=3", "'--version' does not take a value"),
]
OF_CROSSCHECK = [
    ("Nonsense", "an op must be one of Affine"),
    ("sigmoid", "'sigmoid' arrived. Did you mean Sigmoid?"),
    ("''", "'' arrived. Leave it out to check them all."),
    ("Sigmoid Nonsense", "'Nonsense' arrived"),
    ("--seed -1", "greater than or equal to 0, but -1 arrived"),
    ("--seed 4294967296", "less than or equal to 4294967295, but 4294967296 arrived"),
    ("--seed x", f"{WHOLE} 'x' arrived"),
    ("--seed ''", f"{WHOLE} '' arrived"),
    ("--seed 1.5", f"{WHOLE} '1.5' arrived"),
    ("--seed 1e3", f"{WHOLE} '1e3' arrived"),
    ("--seed nan", f"{WHOLE} 'nan' arrived"),
    ("--seed", "'--seed' requires an argument"),
    ("--device gpu", "--device must be cpu or cuda, but 'gpu' arrived. The default is cpu."),
    ("--device ''", "--device must be cpu or cuda, but '' arrived."),
    ("--json no/a", f"--json {NOT_THERE}"),
    ("--json .", "--json must be a file that can be written, but . cannot be: Is a directory."),
    ("--json ''", f"Invalid value for '--json': {NO_FILE}"),
    ("--junit no/a", f"--junit {NOT_THERE}"),
    ("--junit ''", NO_FILE),
    ("--json a --junit a", "--json and --junit must differ, but both are a. Give each a file"),
    ("--json - --junit -", "--json and --junit must differ, but both are -."),
    ("--isolate=3", "'--isolate' does not take a value"),
    ("--nonsense", "No such option: --nonsense"),
]
OF_CAUSES = [
    ("nonsense", "a cause must be one of sign-flipped"),
    ("''", "'' arrived. Leave it out to see them all."),
    ("missing-term missing", "'missing' arrived. Did you mean missing-term?"),
    ("MISSING-TERM", "'MISSING-TERM' arrived. Did you mean missing-term?"),
    ("--nonsense", "No such option: --nonsense"),
]
OF_OPS = [
    ("nonsense", "an op must be one of Affine"),
    ("''", "'' arrived. Leave it out to see them all."),
    ("gelu", "'gelu' arrived. Did you mean GELU?"),
    ("--json no/a", f"--json {NOT_THERE}"),
    ("--json ''", NO_FILE),
    ("--seed 3", "No such option: --seed"),
]
OF_EXPLAIN = [
    ("nonsense", "the lecture must be one of log-loss-network"),
    ("''", "the lecture must be one of log-loss-network"),
    ("two-neuron", "'two-neuron' arrived. Did you mean two-neuron-chain?"),
    ("007", "'007' arrived. 000 to 004 are theirs too;"),
    ("two-neuron-chain --weights no.json", "Give the path, from the folder in which you are, of a"),
    ("--sizes 2", "--sizes must be two or more positive whole numbers"),
    ("--sizes 0,1", "'0,1' arrived"),
    ("--sizes 2,-1", "'2,-1' arrived"),
    ("--sizes a,b", "'a,b' arrived"),
    ("--sizes ''", "'' arrived. Lecture 002's network is --sizes 4,3,2."),
    ("--sizes 2,,1", "'2,,1' arrived"),
    ("--loss nonsense", "--loss must be one of log, logits"),
    ("--loss ''", "'' arrived. Leave it out for log."),
    ("--loss squard", "'squard' arrived. Did you mean squared?"),
    ("--activation nonsense", "--activation must be one of sigmoid, tanh, relu, none"),
    ("--activation ''", "'' arrived"),
    ("--output nonsense", "--output must be one of sigmoid, tanh, relu, none"),
    ("--loss log --output tanh", "fits an output of sigmoid, but --output tanh arrived"),
    ("--examples 0", "0 arrived"),
    ("--examples x", f"{WHOLE} 'x' arrived"),
    ("--weight 1", "--weight must look like 1:2,1"),
    ("--weight 0:1,1", "0 arrived"),
    ("--weight 9:1,1", "9 arrived"),
    ("--weight ''", "--weight must look like 1:2,1"),
    ("--bias 1", "--bias must look like 1:2"),
    ("--bias 3:1", "3 arrived"),
    ("--weight 1:1,1 --bias 1:1", "--weight and --bias were given"),
    ("--lr 0", "--lr must be a positive number"),
    ("--lr -1", "--lr must be a positive number"),
    ("--lr nan", "nan arrived"),
    ("--lr inf", "inf arrived"),
    ("--seed -1", "-1 arrived"),
    ("--seed x", f"{WHOLE} 'x' arrived"),
    ("--format pdf", "'pdf' arrived. Leave it out for text."),
    ("--format ''", "'' arrived"),
    ("two-neuron-chain --sizes 3,2", "two-neuron-chain has a network"),
    ("two-neuron-chain three-layers", "unexpected extra argument(s) (three-layers)"),
    ("--nonsense", "No such option: --nonsense"),
]
OF_MUTATE = [
    ("", "after -- must come the pytest command that runs the tests, but nothing arrived."),
    ("-- nonsense", "'nonsense' arrived. Write torchref mutate -- pytest tests."),
    ("-- python x.py", "'python x.py' arrived"),
    ("-- ''", "'' arrived. Write torchref mutate -- pytest tests."),
    ("--jobs 0 -- pytest", "greater than or equal to 1, but 0 arrived"),
    ("--jobs 65 -- pytest", "less than or equal to 64, but 65 arrived"),
    ("--jobs x -- pytest", f"{WHOLE} 'x' arrived"),
    ("--jobs '' -- pytest", f"{WHOLE} '' arrived"),
    ("--seconds 0 -- pytest", "greater than or equal to 1, but 0 arrived"),
    ("--seconds x -- pytest", f"{WHOLE} 'x' arrived"),
    ("--seconds 90000 -- pytest", "less than or equal to 86400, but 90000 arrived"),
    ("--json no/a -- pytest", f"--json {NOT_THERE}"),
    ("--json '' -- pytest", NO_FILE),
    ("--nonsense -- pytest", "No such option: --nonsense"),
]
SCRIPT = "torchref audit must be given a script with Python code, but"
ALONE = "--scan must stand alone or with --json, but"
OF_AUDIT = [
    ("", f"{SCRIPT} none arrived. Give its path"),
    ("''", f"{SCRIPT} an empty name arrived."),
    ("missing.py", f"{SCRIPT} missing.py is not there."),
    (".", f"{SCRIPT} . is a folder."),
    ("-m ''", "torchref audit -m must be given a module that can be run, but an empty name"),
    ("--seconds 0 swish.py", "--seconds must be more than 0, but 0.0 arrived. Leave it out."),
    ("--seconds -1 swish.py", "--seconds must be more than 0, but -1.0 arrived."),
    ("--seconds nan swish.py", "--seconds must be more than 0, but nan arrived."),
    ("--seconds x swish.py", "it must be a number, but 'x' arrived"),
    ("--seconds '' swish.py", "it must be a number, but '' arrived"),
    ("--calls 0 swish.py", "greater than or equal to 1, but 0 arrived"),
    ("--calls x swish.py", f"{WHOLE} 'x' arrived"),
    ("--calls 9999999999 swish.py", "less than or equal to 2147483648, but 9999999999 arrived"),
    ("--memory 0 swish.py", "greater than or equal to 1, but 0 arrived"),
    ("--memory x swish.py", f"{WHOLE} 'x' arrived"),
    ("--seed -1 swish.py", "greater than or equal to 0, but -1 arrived"),
    ("--seed x swish.py", f"{WHOLE} 'x' arrived"),
    ("--expect Round swish.py", "NAME=REASON, but 'Round' arrived. Write --expect Round=REASON."),
    ("--expect =why swish.py", "'=why' arrived. Write --expect Round=REASON."),
    ("--expect Round= swish.py", "must say something of Round, but '' arrived. Write --expect R"),
    ("--expect '' swish.py", "--expect must be NAME=REASON, but '' arrived."),
    ("--reference Swish swish.py", "'Swish' arrived. Write --reference Swish=module:function."),
    ("--reference Swish= swish.py", "something of Swish, but '' arrived. Write --reference Swish="),
    ("--reference =a:b swish.py", "'=a:b' arrived. Write --reference Round=module:function."),
    ("--reference Swish=silu swish.py", "FILE.py:NAME or PACKAGE.MODULE:NAME, but 'silu' arrived"),
    ("--reference '' swish.py", "--reference must be NAME=module:function, but '' arrived."),
    ("--json no/a swish.py", f"--json {NOT_THERE}"),
    ("--json '' swish.py", NO_FILE),
    ("--html no/a swish.py", f"--html {NOT_THERE}"),
    ("--html '' swish.py", NO_FILE),
    ("--json a --html a swish.py", "--json and --html must differ, but both are a."),
    ("--nonsense swish.py", "No such option: --nonsense"),
    ("--scan ''", "must be a package that is installed, a folder or a .py file, but an empty name"),
    ("--scan no_such_package", "but there is no no_such_package. Is it installed here?"),
    ("--scan missing.py", "a folder or a .py file, but missing.py is not there."),
    ("--scan nothing.py", "that defines Functions, but 1 file was read of nothing.py, and none"),
    ("--scan broken.py", "broken.py: it is not the Python of this interpreter (line 1)"),
    ("--scan swish.py swish.py", f"{ALONE} 'swish.py' arrived beside it. It runs no program."),
    ("--scan swish.py --isolate", f"{ALONE} --isolate arrived beside it."),
    ("--scan swish.py --seed 3", f"{ALONE} --seed arrived beside it."),
    ("--scan swish.py --calls 5", f"{ALONE} --calls arrived beside it."),
    ("--scan swish.py --json no/a", f"--json {NOT_THERE}"),
]
ADDRESS = "must be FILE.py:NAME or PACKAGE.MODULE:NAME, but"
SWISH = "swish.py:Swish --inputs randn(3)"
OF_CHECK = [
    ("", "Missing argument 'TARGET'"),
    ("''", f"TARGET {ADDRESS} '' arrived. Write kernels.py:NAME."),
    ("missing.py", "TARGET must name a file with Python code, but missing.py is not there."),
    ("missing.py:Swish", "TARGET must name a file with Python code, but missing.py is not there."),
    (".", "TARGET must name a file with Python code, but . is a folder."),
    ("..", "TARGET must name a file with Python code, but .. is a folder."),
    ("swish.py:", f"TARGET {ADDRESS} 'swish.py:' arrived. Write swish.py:NAME."),
    (":Swish", f"TARGET {ADDRESS} ':Swish' arrived. Write kernels.py:NAME."),
    ("swish.py:Nonsense", "must name something that swish.py defines, but it has no Nonsense."),
    ("swish.py:swish", "it has no swish. Did you mean Swish?"),
    ("swish.py:Swish", "inputs must be there to call it on, but none are given. Write torchref"),
    ("nothing.py", "TARGET must define a torch.autograd.Function, or name what is to be checked"),
    ("broken.py", "module that can be imported: broken.py, but SyntaxError came out of it"),
    ("no_such_package:Swish", "TARGET must name a module, but there is no no_such_package."),
    ("no_such_package.inside:S", "there is no no_such_package. Install it, or run where Python"),
    ("torch.nn.functional.silu:S", "stands after a colon: torch.nn.functional:silu."),
    ("swish.py:Swish --inputs x", "--inputs must name what there is: a dtype, inf, nan or pi"),
    ("swish.py:Swish --inputs ''", "--inputs must fit the arguments (x), but they do not: missing"),
    ("swish.py:Swish --inputs 'randn('", "randn( is none: '(' was never closed."),
    ("swish.py:Swish --inputs 'randn(-1)'", "whole numbers that are not negative, but -1 arrived"),
    ("swish.py:Swish --inputs 'eval(3)'", "--inputs"),
    ("swish.py:Swish --inputs 'randn(10**12)'", "at most 67,108,864 entries, all together, but"),
    ("swish.py:Swish --inputs 'ones(2), ones(2)'", "the arguments (x), but they do not: too many"),
    (
        "swish.py:Swish --inputs 'y=ones(2)'",
        "must fit the arguments (x), but they do not: missing",
    ),
    (f"{SWISH} --cases swish.py:NUMBER", "--inputs and --cases must not stand together, but both"),
    ("swish.py:Swish --cases swish.py:NUMBER", "--cases must be a tuple of arguments, a list"),
    ("swish.py:Swish --cases swish.py:missing", "--cases must name something that swish.py def"),
    (f"{SWISH} --reference missing", "--reference must name something that swish.py defines, but"),
    (f"{SWISH} --reference ''", f"--reference {ADDRESS}"),
    (f"{SWISH} --reference NUMBER", "reference= takes a torch.autograd.Function"),
    (f"{SWISH} --reference torch.nn.functional.sillu", "mean torch.nn.functional.silu?"),
    (f"{SWISH} --surrogate missing", "--surrogate must name something that swish.py defines, but"),
    (f"{SWISH} --domain NUMBER", "domain must be a predicate on all arguments"),
    (f"{SWISH} --wrt nonsense", "wrt must name differentiable inputs, of x, but nonsense arrived."),
    (f"{SWISH} --order 0", "greater than or equal to 1, but 0 arrived"),
    (f"{SWISH} --order 3", "less than or equal to 2, but 3 arrived"),
    (f"{SWISH} --order x", f"{WHOLE} 'x' arrived"),
    (f"{SWISH} --expect nonsense=why", "--expect must be one of sign-flipped"),
    (
        f"{SWISH} --expect missing-term",
        "--expect must be CAUSE=REASON, but 'missing-term' arrived.",
    ),
    (f"{SWISH} --expect missing-term=", "'missing-term=' arrived. Write --expect missing-term="),
    (f"{SWISH} --expect ''", "--expect must be CAUSE=REASON, but '' arrived."),
    (f"{SWISH} --vary nonsense", "--vary must be one of options, values"),
    (f"{SWISH} --vary ''", "'' arrived. Leave it out to try all."),
    (f"{SWISH} --vary sizes --no-vary", "--vary and --no-vary must not stand together"),
    (f"{SWISH} --vary sizes --quick", "--vary and --quick must not stand together"),
    (f"{SWISH} --tolerance -1", "tolerance must be at least 0 and less than 1"),
    (f"{SWISH} --tolerance nan", "nan arrived. Write tolerance=1e-6"),
    (f"{SWISH} --tolerance x", "it must be a number, but 'x' arrived"),
    (f"{SWISH} --tolerance ''", "it must be a number, but '' arrived"),
    (f"{SWISH} --precision nonsense", 'precision must be "native", "double" or None'),
    (f"{SWISH} --precision ''", "'' arrived. native is the dtype of the inputs"),
    (f"{SWISH} --seconds 0", "seconds must be more than 0, as a number, but 0.0 arrived."),
    (f"{SWISH} --seconds nan", "nan arrived. Leave it out for no limit."),
    (f"{SWISH} --seconds x", "it must be a number, but 'x' arrived"),
    (f"{SWISH} --device gpu", "--device must be cpu or cuda, but 'gpu' arrived."),
    (f"{SWISH} --seed -1", "greater than or equal to 0, but -1 arrived"),
    (f"{SWISH} --json no/a", f"--json {NOT_THERE}"),
    (f"{SWISH} --json ''", NO_FILE),
    (f"{SWISH} --json a --junit a", "--json and --junit must differ, but both are a."),
    (f"{SWISH} --nonsense", "No such option: --nonsense"),
]
TABLE = {
    "": OF_ALL,
    "crosscheck": OF_CROSSCHECK,
    "causes": OF_CAUSES,
    "ops": OF_OPS,
    "explain": OF_EXPLAIN,
    "mutate": OF_MUTATE,
    "audit": OF_AUDIT,
    "check": OF_CHECK,
}
ROWS = [(command, line, said) for command, rows in TABLE.items() for line, said in rows]
# What must hold, but what arrived. The fix; behind the name of a candidate, where there is one.
MESSAGE = re.compile(r"(\w+: )?error: \S.*, but \S.*\. \S.*[.?\w]", re.DOTALL)


def arguments(line: str) -> list[str]:
    """As a shell splits it: quotes are only around what is empty or has a space or a bracket."""
    return [each.strip("'") for each in re.findall(r"'[^']*'|\S+", line)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "swish.py").write_text(FILE)
    (tmp_path / "nothing.py").write_text("x = 1\n")
    (tmp_path / "broken.py").write_text("def (\n")
    return tmp_path


@pytest.mark.parametrize(("command", "line", "said"), ROWS, ids=lambda each: each[:60] or "-")
def test_it_is_one_message(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    command: str,
    line: str,
    said: str,
) -> None:
    monkeypatch.setattr(sys, "argv", list(filter(None, ["torchref", command])) + arguments(line))
    monkeypatch.setenv("COLUMNS", "2000")
    with pytest.raises(SystemExit) as end:
        cli.main()
    out, err = capfd.readouterr()
    assert (end.value.code, out) == (2, "")
    assert "Traceback" not in err
    assert said in err
    told = re.sub(r"(?m)^skipped: .*\n", "", err)
    assert "╭─ Error" in err or MESSAGE.fullmatch(told.rstrip("\n")), err  # the first is typer's
    assert not [*folder.glob("[!bns]*")], "nothing may be left behind"


def test_the_table_is_long_enough() -> None:
    assert len(ROWS) >= 180
