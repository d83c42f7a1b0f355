"""The folder that a benchmark writes to."""

from pathlib import Path
from typing import Annotated

import typer


def made(folder: Path) -> Path:
    """Before anything is measured, for a measurement that cannot be kept is wasted."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise typer.BadParameter(f"{folder} cannot be made: {error.strerror}.") from None
    return folder


Out = Annotated[Path, typer.Option(callback=made, help="The folder for the JSON and the plot.")]
