"""The command `torchref`."""

import signal
import sys
from typing import Annotated, NoReturn

# Until the command is imported, which takes seconds, Ctrl-C ends it without a traceback: there is
# nothing to say yet.
if sys.argv[0].endswith("/torchref") or sys.orig_argv[1:3] == ["-m", "torchref"]:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import torch
import typer
from rich.markup import escape

from torchref import InputError, __version__
from torchref.cli.audit import EPILOG as OF_AUDIT
from torchref.cli.audit import audit_command
from torchref.cli.causes import EPILOG as OF_CAUSES
from torchref.cli.causes import causes_command
from torchref.cli.check import EPILOG as OF_CHECK
from torchref.cli.check import check_command
from torchref.cli.crosscheck import EPILOG as OF_CROSSCHECK
from torchref.cli.crosscheck import crosscheck_command
from torchref.cli.mutate import EPILOG as OF_MUTATE
from torchref.cli.mutate import mutate_command
from torchref.cli.terminal import INTERRUPTED, USAGE, err, give_up_standard_output, out
from torchref.errors import escape_what_the_terminal_lacks
from torchref.explainer.command import EPILOG as OF_EXPLAIN
from torchref.explainer.command import explain_command

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Gradients by hand in PyTorch, and the check that they are right.",
    epilog='Examples:\n\n`torchref check kernels.py:BiasGelu --inputs "randn(4, 3), randn(3)"`\n\n'
    "`torchref crosscheck`\n\n`torchref crosscheck Affine Sigmoid --seed 7`"
    "\n\n`torchref causes`\n\n`torchref explain two-neuron-chain`",
)


def main() -> None:
    """The entry point: bad input is one message and exit status 2, never a traceback."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # as while all this is imported
        signal.signal(signal.SIGINT, signal.default_int_handler)
    escape_what_the_terminal_lacks()
    try:
        app()
    except InputError as error:
        _end(str(error))
    except SystemExit as end:
        if end.code == INTERRUPTED:
            err.print("[bold red]interrupted:[/] what was not tried by then was not checked")
        raise
    except OSError as error:  # a disk that fills up under what is written, or a reader that left
        if error.filename is None:
            give_up_standard_output()
        _end(f"{error.filename or 'standard output'} takes no more: {error.strerror}")


def _end(message: str) -> NoReturn:
    err.print(f"[bold red]error:[/] {escape(message)}", soft_wrap=True, highlight=False)
    raise SystemExit(USAGE) from None


def _print_version(wanted: bool) -> None:
    if wanted:
        out.print(f"torchref {__version__} (torch {torch.__version__})", highlight=False)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print it and stop."
        ),
    ] = False,
) -> None:
    """Options before the command."""


app.command(name="check", epilog=OF_CHECK)(check_command)
app.command(name="crosscheck", epilog=OF_CROSSCHECK)(crosscheck_command)
app.command(name="audit", epilog=OF_AUDIT, context_settings={"allow_interspersed_args": False})(
    audit_command
)
app.command(name="explain", epilog=OF_EXPLAIN)(explain_command)
app.command(name="causes", epilog=OF_CAUSES)(causes_command)
app.command(name="mutate", epilog=OF_MUTATE)(mutate_command)
