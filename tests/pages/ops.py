"""The pages of the ops, made of their docstrings and their code.

    python -m tests.pages.ops

writes docs/ops anew: a page for each family, and the index with the ladder.
"""

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import FunctionType, ModuleType

from tests.pages.callers import functions_of, layers_of
from tests.pages.docstring import block, escaped, markdown, parsed
from tests.pages.ladder import LADDER
from torchref import ops
from torchref.catalogue import CATALOGUE
from torchref.cli.ops import rule_of
from torchref.ops import Op

FOLDER = Path(__file__).parents[2] / "docs" / "ops"
FAMILIES = (
    "linear",
    "activations",
    "losses",
    "softmax",
    "normalisation",
    "dropout",
    "convolution",
    "indexing",
    "recurrent",
    "attention",
    "linear_algebra",
)
INDEX = """\
# The ops

Each op is a forward, a backward and a forward-mode rule, written by hand as a
`torch.autograd.Function` in a file that is read at one sitting. A page for each family has their
formulas, derivations and code: what is saved for backward and why, which functions of
`torchref.functional` and layers of `torchref.nn` apply them, and an example.

In a terminal `torchref ops` lists them, `torchref ops GELU` shows one, and both measure how much
it errs in bfloat16 and float16 beside torch's own, on your processor. The tests let none err by
more than eight roundings beyond torch's. `torchref crosscheck GELU` checks its gradients.
[Adding](../adding.md) shows how one is added.

In all formulas x is the input, y the output, L the loss that y goes into, and g = ∂L/∂y what comes
back from there, `grad_y` in the code. dx and dy are the changes of forward mode. δ_ij is 1 for
i = j and else 0. Index letters that are not explained run over the entries.

## From the perceptron to a transformer

| rung | what is new | ops | to run |
| --- | --- | --- | --- |
"""


def family_of(op: str) -> str:
    """The folder, or the file, of `torchref.ops` that it stands in."""
    return CATALOGUE[op].op.__module__.split(".")[2]


def ops_of(family: str) -> list[str]:
    return [name for name in CATALOGUE if family_of(name) == family]


def link(code: str, here: str) -> str:
    """A name in backticks, with a link where it is an op's."""
    name = code.strip("`").removeprefix("torchref.ops.")
    if name not in CATALOGUE:
        return code
    family = family_of(name)
    return f"[{code}]({'' if family == here else f'{family}.md'}#{name.lower()})"


def title_of(family: str) -> str:
    return family.replace("_", " ").capitalize()


def documented(module: ModuleType) -> str:
    return inspect.getdoc(module) or ""


def page(family: str) -> str:
    """All ops of a family, in the order of the catalogue."""
    linked = partial(link, here=family)
    home = vars(ops)[family]
    parts = [f"# {title_of(family)}"]
    if hasattr(home, "__path__"):
        parts.append(markdown(documented(home), linked))
    parts.append(table(ops_of(family), linked))
    shown: set[object] = set()
    for name in ops_of(family):
        parts += section(name, family, shown)
    return "\n\n".join(parts) + "\n"


def table(names: list[str], linked: partial[str]) -> str:
    rows = (f"| {linked(f'`{name}`')} | {formula(name, linked)} |" for name in names)
    return "\n".join(("| op | formula |", "| --- | --- |", *rows))


def formula(name: str, linked: partial[str]) -> str:
    """In one line of a table."""
    told = parsed(inspect.getdoc(CATALOGUE[name].op) or "").formula
    return escaped(" ".join(told.split()), linked).replace("|", "\\|")


def section(name: str, family: str, shown: set[object]) -> Iterator[str]:
    """One op; what other ops of the page have shown already is only named."""
    op, linked = CATALOGUE[name].op, partial(link, here=family)
    module = sys.modules[op.__module__]
    if module not in shown:
        shown.add(module)
        yield "---"
        yield markdown(documented(module), linked)
    yield f"## {name}"
    told = parsed(inspect.getdoc(op) or "")
    yield block(told.formula)
    if told.said:
        yield markdown(told.said, linked)
    for part, text in told.parts.items():
        yield f"**{part}** {markdown(text, linked)}"
    yield called_by(name)
    if refused := CATALOGUE[name].refuses:
        yield "**Refuses** " + "; ".join(f"{claim}: {why}" for claim, why in refused.items()) + "."
    yield block(example(name, told.example), "pycon")
    yield from code(op, linked, shown)


def called_by(name: str) -> str:
    functions = [f"`{each}`" for each in functions_of(name)]
    layers = [f"`{each}`" for each in layers_of(name)]
    by_layers = f"; in `torchref.nn` by {', '.join(layers)}" if layers else ""
    return f"**Called** in `torchref.functional` by {', '.join(functions)}{by_layers}."


def example(name: str, told: str) -> str:
    """An example with the imports that it needs."""
    return f">>> import torch\n>>> from torchref.ops import {name}\n{told}"


def code(op: type[Op], linked: partial[str], shown: set[object]) -> Iterator[str]:
    """The class and all that it calls, file by file; the step-by-step form comes last."""
    pieces = rule_of(op)
    known = [f"`{piece.__name__}`" for piece in pieces if piece in shown]
    new = [piece for piece in pieces if piece not in shown]
    for file in dict.fromkeys(piece.__module__ for piece in new):
        yield f"In `{file.replace('.', '/')}.py`:"
        module = sys.modules[file]
        if module not in shown:
            yield markdown(documented(module), linked)
        of_file = [piece for piece in new if piece.__module__ == file]
        yield block("\n\n\n".join(source(piece).rstrip() for piece in of_file), "py")
        shown.update(of_file, [module])
    if known:
        yield f"Shown above: {', '.join(known)}."


def source(piece: type | FunctionType) -> str:
    """Its code; of an op without the docstring, which the page tells by itself."""
    text = textwrap.dedent(inspect.getsource(piece))
    if not (isinstance(piece, type) and piece.__name__ in CATALOGUE):
        return text
    lines = text.splitlines(keepends=True)
    (definition,) = ast.parse(text).body
    assert isinstance(definition, ast.ClassDef)
    told = definition.body[0]
    assert isinstance(told, ast.Expr)
    assert told.end_lineno
    return "".join(lines[: told.lineno - 1] + lines[told.end_lineno :]).replace(":\n\n", ":\n", 1)


def index() -> str:
    linked = partial(link, here="index")
    rows = [
        f"| {rung.name} | {rung.adds} | "
        f"{', '.join(linked(f'`{name}`') for name in rung.ops)} | `{rung.run}` |"
        for rung in LADDER
    ]
    parts = [INDEX + "\n".join(rows), f"## All {len(CATALOGUE)} ops"]
    for family in FAMILIES:
        parts += [f"### [{title_of(family)}]({family}.md)", table(ops_of(family), linked)]
    return "\n\n".join(parts) + "\n"


def pages() -> dict[str, str]:
    """By the name of its file each page."""
    return {"index.md": index()} | {f"{family}.md": page(family) for family in FAMILIES}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file, text in pages().items():
        (FOLDER / file).write_text(text, encoding="utf-8")
