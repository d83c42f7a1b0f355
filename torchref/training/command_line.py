"""The command line of an experiment: options that all share, and one way to say what is wrong."""

import copy
import functools
import inspect
import os
import shlex
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import torch
import typer

from torchref.errors import InputError, escape_what_the_terminal_lacks
from torchref.training.log.logbook import errors_heard_once
from torchref.training.process.distribution import is_first_process
from torchref.training.process.stopping import Interrupted, NotFiniteError
from torchref.training.settings import Settings

UNTRAINED = ("device", "deterministic", "dry_run", "logdir", "quiet", "run_name", "seed", "threads")
TRAINED = tuple(field.name for field in fields(Settings))
LAST_WORD = 30.0  # seconds; torchrun ends the others as soon as the first has ended


def run_experiment(main: Callable[..., None], defaults: Settings, *, trains: bool = True) -> None:
    """Runs `main(settings, ...)` as a command with the options of `Settings` and its own.

    An experiment that does not train has the options that make sense without.
    At the end stands the line that shows the run in TensorBoard. Bad input ends with exit status 2
    and one message, a loss that is not finite with 1, Ctrl-C with 130 and SIGTERM with 143.
    """
    escape_what_the_terminal_lacks()
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # as while an experiment is imported
        signal.signal(signal.SIGINT, signal.default_int_handler)
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(with_settings(main, defaults, TRAINED if trains else UNTRAINED))
    app()


def with_settings(
    main: Callable[..., None], defaults: Settings, names: Sequence[str]
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

    @functools.wraps(main)
    def command(**options: Any) -> None:
        given = {name: options.pop(name) for name in names}
        if not any(given.get(name) for name in ends):
            given |= ends
        try:
            settings = replace(defaults, **given)
            with errors_heard_once(), only_the_first_speaks():
                main(settings, **options)
        except InputError as error:
            end(f"Error: {error}", 2)
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

    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    return command


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
