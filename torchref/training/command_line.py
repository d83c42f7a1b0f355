"""The command line of an experiment: options that all share, and one way to say what is wrong."""

import functools
import inspect
import math
import shlex
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from torchref.errors import InputError


def positive(value: float) -> float:
    if not (math.isfinite(value) and value > 0):
        raise typer.BadParameter(f"{value} is not a positive number.")
    return value


@dataclass(frozen=True)
class Settings:
    """What every experiment is told. Each experiment has its own defaults."""

    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, ... or auto.")] = "cpu"
    seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="The same seed repeats the run exactly.")
    ] = 0
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the data, at most.")] = 1000
    lr: Annotated[float, typer.Option(callback=positive, help="The learning rate.")] = 0.1
    logdir: Annotated[Path, typer.Option(help="Runs go below this folder.")] = Path("runs")


def run_experiment(main: Callable[..., None], defaults: Settings) -> None:
    """Runs `main(settings, ...)` as a command with the options of `Settings` and its own.

    At the end stands the line that shows the run in TensorBoard. Bad input ends with exit status 2
    and one message.
    """
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(with_settings(main, defaults))
    app()


def with_settings(main: Callable[..., None], defaults: Settings) -> Callable[..., None]:
    """`main` with the fields of `Settings` as arguments instead of its first one."""
    _, *own = inspect.signature(main).parameters.values()
    hints = get_type_hints(Settings, include_extras=True)
    shared = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=getattr(defaults, field.name),
            annotation=hints[field.name],
        )
        for field in fields(Settings)
    ]

    @functools.wraps(main)
    def command(**options: Any) -> None:
        settings = Settings(**{field.name: options.pop(field.name) for field in fields(Settings)})
        try:
            main(settings, **options)
            print(f"Look at it: tensorboard --logdir {shlex.quote(str(settings.logdir))}")
        except InputError as error:
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(2) from None

    parameters = [*(each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own), *shared]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    return command
