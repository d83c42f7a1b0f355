"""The command line of an experiment: options that all share, and one way to say what is wrong."""

import copy
import functools
import inspect
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import torch
import typer

from torchref.errors import (
    READER_LEFT,
    InputError,
    give_up_standard_output,
    prepare_standard_streams,
    reader_awaited,
)
from torchref.training.log.logbook import errors_heard_once
from torchref.training.process.distribution import is_first_process
from torchref.training.process.stopping import Interrupted, NotFiniteError
from torchref.training.run_folder.remembered import remembered
from torchref.training.settings import NO_OPTIONS, Settings

UNTRAINED = ("device", "deterministic", "dry_run", "logdir", "quiet", "run_name", "seed", "threads")
TRAINED = tuple(field.name for field in fields(Settings) if field.name not in NO_OPTIONS)
LAST_WORD = 30.0  # seconds; torchrun ends the others as soon as the first has ended


def run_experiment(
    main: Callable[..., None],
    defaults: Settings,
    *,
    trains: bool = True,
    free: Sequence[str] = (),
) -> None:
    """Runs `main(settings, ...)` as a command with the options of `Settings` and its own.

    An experiment that does not train has the options that make sense without. A run goes on with
    the options that it began with, where the command line does not give them. Those of the
    experiment that are `free` make no other curve.
    At the end stands the line that shows the run in TensorBoard. Bad input ends with exit status 2
    and one message, a loss that is not finite with 1, Ctrl-C with 130 and SIGTERM with 143.
    """
    prepare_standard_streams()
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(with_settings(main, defaults, TRAINED if trains else UNTRAINED, free))
    try:
        with reader_awaited(True):
            try:
                if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # as during the imports
                    signal.signal(signal.SIGINT, signal.default_int_handler)
                app()
            finally:
                sys.stdout.flush()  # what is left fails here, and is told, not as Python ends
    except OSError as error:
        give_up_standard_output()
        typer.echo(f"Error: standard output takes no more: {error.strerror or error}", err=True)
        raise SystemExit(2) from None


def with_settings(
    main: Callable[..., None], defaults: Settings, names: Sequence[str], free: Sequence[str] = ()
) -> Callable[..., None]:
    """`main` with these fields of `Settings` as arguments instead of its first one."""
    _, *own = inspect.signature(main).parameters.values()
    hints = get_type_hints(Settings, include_extras=True)
    ends = {name: getattr(defaults, name) for name in ("epochs", "steps")}
    parameters = [each.replace(kind=each.KEYWORD_ONLY) for each in own]
    for name in names:
        kind, default = hints[name], getattr(defaults, name)
        if name in ends:
            kind, default = showing(kind, default), None
        each = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)
        parameters.append(each.replace(annotation=kind))
    context = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)

    @functools.wraps(main)
    def command(context: typer.Context, **options: Any) -> None:
        if options.get("resume"):
            options |= remembered(options, on_the_line(context), name_of(main))
        given = {name: options.pop(name) for name in names}
        if not any(given.get(name) for name in ends):
            given |= {**ends, "own_end": bool(given.get("resume"))}
        given["own"] = {name: plain(value) for name, value in options.items() if name not in free}
        try:
            settings = replace(defaults, **given)
            with errors_heard_once(), only_the_first_speaks(), reader_awaited(False):
                main(settings, **options)
                sys.stdout.flush()
        except InputError as error:
            end(f"Error: {error}", 2)
        except (
            BrokenPipeError
        ):  # as `head` leaves it; the run is whole, and says that it has failed
            give_up_standard_output()
            raise typer.Exit(READER_LEFT) from None
        except OSError as error:  # what is written beside the run, when its disk takes no more
            end(f"Error: {error.filename or settings.logdir}: {error.strerror or error}", 2)
        except NotFiniteError as error:
            end(f"Error: {error}", 1)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            end(f"Error: {too_large(error)}", 1)
        except Interrupted as interrupted:
            end(str(interrupted), interrupted.exit_status)
        if is_first_process() and not settings.dry_run:
            logdir = shlex.quote(str(settings.logdir))
            print(f"Look at it: tensorboard --logdir {logdir}")

    command.__signature__ = inspect.Signature([context, *parameters])  # type: ignore[attr-defined]  # any function takes it
    command.__annotations__ = {each.name: each.annotation for each in [context, *parameters]}
    return command


def on_the_line(context: typer.Context) -> set[str]:
    """The options that were given, and not left at their defaults."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return {name for name, source in sources.items() if source and source.name == "COMMANDLINE"}


def name_of(main: Callable[..., None]) -> str:
    """The name of the experiment that a script is."""
    return Path(inspect.getfile(main)).stem


def plain(value: Any) -> Any:
    """As the record of a run keeps it."""
    return value if isinstance(value, bool | int | float | None) else str(value)


def is_out_of_memory(error: Exception) -> bool:
    """torch has an error of that name for its devices, and any `RuntimeError` for the CPU."""
    named = isinstance(error, MemoryError | torch.OutOfMemoryError)
    return named or "can't allocate memory" in str(error)


def too_large(error: Exception) -> InputError:
    told = str(error).partition("\n")[0].partition("Allocator: ")[2].partition(". Error")[0]
    return InputError(
        "A network and its batches must fit into memory",
        told or "there is not enough",
        "Take a smaller network, or a smaller --batch-size.",
    )


def showing(annotation: Any, default: int | None) -> Any:
    """With a default that the help shows, while the option left out arrives as None."""
    kind, option = get_args(annotation)
    option = copy.copy(option)
    option.show_default = str(default) if default else False
    return Annotated[kind, option]


@contextmanager
def only_the_first_speaks() -> Iterator[None]:
    """All processes of a torchrun would say the same."""
    if is_first_process():
        yield
        return
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        yield


def end(message: str, status: int) -> None:
    if is_first_process():
        typer.echo(message, err=True)
    else:
        time.sleep(LAST_WORD)
    raise typer.Exit(status) from None
