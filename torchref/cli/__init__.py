"""The command `torchref`."""

import signal
import sys
from contextlib import suppress
from importlib import import_module
from platform import python_version
from typing import Annotated, Any, NoReturn

import typer
from rich.markup import escape
from typer.core import TyperCommand, TyperGroup

from torchref import InputError, __version__
from torchref.cli.supervision.signals import STOPPED, handled, stop
from torchref.cli.terminal import (
    INTERRUPTED,
    TERMINATED,
    USAGE,
    err,
    out,
)
from torchref.errors import (
    give_up_standard_output,
    known,
    prepare_standard_streams,
    reader_awaited,
)

# Each is `NAME_command` of `torchref.cli.NAME`, or of the module that stands here.
COMMANDS = {
    "check": "Is the gradient of your Function, Module or callable right? Where is it wrong, and "
    "why?",
    "audit": "Run a program as it is, and cross-check every Function that it applies.",
    "mutate": "Test the tests: plant one wrong gradient at a time, and see which the tests let "
    "through.",
    "crosscheck": "Cross-check the handwritten ops against autograd and against differences.",
    "explain": "The chain rule of one weight: its factors, their numbers, what is reused, and a "
    "verdict.",
    "causes": "List the causes that a finding may name, what each means and what to look at then.",
    "ops": "List the handwritten ops: formula, file, orders of derivatives, error beside torch's.",
}
ELSEWHERE = {"explain": "torchref.explainer.command"}
SHOWING = {"explain", "causes", "ops"}  # the others have a verdict to tell if the reader has left
THEIR_ARGUMENTS = {"audit": {"allow_interspersed_args": False}}  # what follows is the program's

SETTINGS: Any = {
    "add_completion": False,
    "pretty_exceptions_enable": False,
    "rich_markup_mode": "markdown",
}


class Commands(TyperGroup):
    """Commands of which only the one that is called is imported: torch takes two seconds."""

    def resolve_command(self, _: Any, args: list[str]) -> Any:
        name = known(args[0], COMMANDS, "a command", "torchref --help says what each does.")
        return name, loaded(name), args[1:]


class Checking(TyperCommand):
    """A command that goes on where the reader of its output has left."""

    def invoke(self, ctx: Any) -> Any:
        with reader_awaited(False):
            return super().invoke(ctx)


def loaded(name: str) -> Any:
    """The command with its options."""
    where = ELSEWHERE.get(name, f"torchref.cli.{name}")
    if where not in sys.modules:
        with handled(signal.SIG_DFL):  # amid an import there is nothing to say yet either
            import_module(where)
    module = sys.modules[where]
    alone = typer.Typer(**SETTINGS)
    kind = TyperCommand if name in SHOWING else Checking
    settings = THEIR_ARGUMENTS.get(name)
    alone.command(name=name, cls=kind, epilog=module.EPILOG, context_settings=settings)(
        getattr(module, f"{name}_command")
    )
    return typer.main.get_command(alone)


app = typer.Typer(
    **SETTINGS,
    cls=Commands,
    no_args_is_help=True,
    help="Gradients by hand in PyTorch, and the check that they are right.",
    epilog="`torchref COMMAND --help` says more of each.\n\nExamples:\n\n"
    '`torchref check kernels.py:BiasGelu --inputs "randn(4, 3), randn(3)"`\n\n'
    "`torchref audit train.py`\n\n`torchref crosscheck Affine Sigmoid --seed 7`\n\n"
    "`torchref explain two-neuron-chain`",
)


def main() -> None:
    """The command line: bad input is one message and exit status 2, never a traceback."""
    prepare_standard_streams()
    STOPPED.forget()
    try:
        with handled(stop), reader_awaited(True):
            try:
                app()
            finally:
                sys.stdout.flush()  # what is left fails here, and is told, not as Python ends
    except InputError as error:
        _end(str(error))
    except SystemExit as end:
        if end.code == INTERRUPTED:
            _end_as_stopped()
        raise
    except OSError as error:  # a disk that fills up under what is written, or a reader that left
        if error.filename is None:
            give_up_standard_output()
        _end(f"{error.filename or 'standard output'} takes no more: {error.strerror}")
    except BaseException:
        if not STOPPED.came:
            raise
        _end_as_stopped()  # also where Ctrl-C in the midst of an import has become another error


def _end(message: str) -> NoReturn:
    _say(f"[bold red]error:[/] {escape(message)}")
    raise SystemExit(USAGE) from None


def _end_as_stopped() -> NoReturn:
    how = "ended by SIGTERM" if STOPPED.is_terminated else "interrupted"
    _say(f"[bold red]{how}:[/] what was not tried by then was not checked")
    raise SystemExit(TERMINATED if STOPPED.is_terminated else INTERRUPTED) from None


def _say(message: str) -> None:
    with suppress(OSError):  # standard error may take no more either: the exit status says it
        err.print(message, soft_wrap=True, highlight=False)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # takes longer than all the rest

        told = f"torchref {__version__} (torch {version('torch')}, Python {python_version()})"
        out.print(told, highlight=False)
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


for _name, _help in COMMANDS.items():
    app.command(name=_name, help=_help)(lambda: None)  # `loaded` stands in for it when it is called
