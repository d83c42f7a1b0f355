"""`torchref ops`: the handwritten ops of the catalogue, how each is derived and written."""

import inspect
import json
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

from torchref import __version__, ops
from torchref.catalogue import CATALOGUE, Entry
from torchref.checker.report.table import Table
from torchref.cli.reporting.delivery import JsonFile, deliver, require_places
from torchref.cli.terminal import RIGHT
from torchref.errors import known
from torchref.ops.op import Op
from torchref.testing.low_precision import Roundings, low_precision_error

EPILOG = "Examples:\n\n`torchref ops`\n\n`torchref ops GELU`\n\n`torchref ops --json -`"
DTYPES = (torch.bfloat16, torch.float16)
FOLDER = Path(ops.__file__).parent


@dataclass(frozen=True)
class Described:
    """What is told of one op."""

    op: str
    formula: str
    file: str
    line: int
    orders: int
    refuses: dict[str, str]
    errors: dict[str, Roundings | None]  # by dtype


def ops_command(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="OP", help="Some, with derivation and code; all if none."),
    ] = None,
    json_file: JsonFile = None,
) -> None:
    """List the handwritten ops: formula, file, orders of derivatives, error beside torch's.

    The errors are measured now, at the samples of the catalogue, in roundings of the dtype.
    """
    everything = "Leave it out to see them all."
    chosen = [known(name, CATALOGUE, "an op", everything) for name in names or CATALOGUE]
    files = {"--json": json_file}
    require_places(files)
    described = [_described(CATALOGUE[name]) for name in chosen]
    tell = partial(_tell_rules if names else _tell_table, described)
    deliver(files, {"--json": partial(_document, described)}, tell, (), RIGHT)


def _described(entry: Entry) -> Described:
    file = Path(inspect.getfile(entry.op)).relative_to(FOLDER.parents[1])
    line = inspect.getsourcelines(entry.op)[1]
    errors = {str(d).removeprefix("torch."): low_precision_error(entry, d) for d in DTYPES}
    formula = (inspect.getdoc(entry.op) or "").split("\n\n", maxsplit=1)[0].replace("\n", " ")
    return Described(
        entry.name, formula, file.as_posix(), line, entry.order, dict(entry.refuses), errors
    )


def _document(described: list[Described]) -> str:
    each = [asdict(one) | {"errors": _by_name(one)} for one in described]
    return json.dumps({"torchref": __version__, "ops": each}, indent=1, ensure_ascii=False) + "\n"


def _by_name(one: Described) -> dict[str, dict[str, float] | None]:
    return {dtype: error and error._asdict() for dtype, error in one.errors.items()}


def _tell_table(described: list[Described], console: Console) -> None:
    table = Table(title=f"{len(described)} handwritten ops", title_justify="left")
    for column in ("op", "formula", "file", "orders"):
        table.add_column(column, overflow="fold")
    for dtype in described[0].errors:
        table.add_column(f"error / torch's\nin {dtype}", justify="right")
    for one in described:
        table.add_row(
            Text(one.op, "bold"),
            Text(one.formula),
            Text(f"{one.file.removeprefix('torchref/ops/')}:{one.line}"),
            Text(_orders(one)),
            *(Text(_beside(error)) for error in one.errors.values()),
        )
    console.print(table)
    console.print(
        "Files are those of torchref/ops. Each op has forward mode, vmap, torch.compile and "
        "autocast, but for what stands under orders. Errors are counted in roundings.",
        highlight=False,
    )


def _orders(one: Described) -> str:
    refused = (f"no {claim}: {reason}" for claim, reason in one.refuses.items())
    return "\n".join((", ".join(map(str, range(1, one.orders + 1))), *refused))


def _beside(error: Roundings | None) -> str:
    return f"{error.op:.2g} / {error.twin:.2g}" if error else "torch has none"


def _tell_rules(described: list[Described], console: Console) -> None:
    for one in described:
        console.print(Text.assemble((one.op, "bold"), f"  {one.file}:{one.line}"))
        for dtype, error in one.errors.items():
            told = "its error / torch's, in roundings"
            console.print(f"  {dtype}: {told}: {_beside(error)}", highlight=False)
        family = inspect.getdoc(inspect.getmodule(CATALOGUE[one.op].op)) or ""
        console.print(f"\n{family}", soft_wrap=True, highlight=False, markup=False)
        for piece in rule_of(CATALOGUE[one.op].op):
            code = textwrap.dedent(inspect.getsource(piece)).rstrip()
            console.print()
            if console.is_terminal:
                console.print(Syntax(code, "python", theme="ansi_dark", background_color="default"))
            else:
                console.print(code, soft_wrap=True, highlight=False, markup=False)
        console.print()


def rule_of(op: type[Op]) -> list[type | FunctionType]:
    """The class, the classes that it has its rules of, and the functions that they call.

    What every op shares is left out, as are other ops that are called as a whole.

    >>> [piece.__name__ for piece in rule_of(ops.GLU)]
    ['GLU', 'sigmoid_differential', 'Gated', 'rules']
    """
    pieces: dict[type | FunctionType, None] = {}
    for each in filter(_is_of_a_family, inspect.getmro(op)):
        pieces[each] = None
        for rule in vars(each).values():
            function = getattr(rule, "__func__", rule)
            if isinstance(function, FunctionType) and _is_of_a_family(function):
                _follow(function, pieces)
    steps = f"{op.__name__}steps".lower()  # of LogSoftmax log_softmax_steps
    return [*pieces, *(vars(ops)[name] for name in ops.__all__ if name.replace("_", "") == steps)]


def _follow(function: FunctionType, pieces: dict[type | FunctionType, None]) -> None:
    """Add the functions that this one names or holds, and those that they name."""
    if "<locals>" not in function.__qualname__ and "." not in function.__qualname__:
        pieces[function] = None
    for named in used_by(function):
        if isinstance(named, FunctionType) and named not in pieces and _is_of_a_family(named):
            _follow(named, pieces)


def used_by(function: FunctionType) -> Iterator[Any]:
    """What a function names; and what it has of one that made it, with the parts of tuples."""
    yield from (function.__globals__.get(name) for name in _names(function.__code__))
    for cell in function.__closure__ or ():
        held = cell.cell_contents
        yield from held if isinstance(held, tuple) else (held,)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _is_of_a_family(piece: type | FunctionType) -> bool:
    of = piece.__module__
    return of.startswith(f"{ops.__name__}.") and of != Op.__module__ and of in sys.modules
