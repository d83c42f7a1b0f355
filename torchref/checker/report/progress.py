"""What is shown while a long cross-check works."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

Tick = Callable[[str], None]
WIDTH = 60  # of the word on what is tried, so that the bar stands still


@contextmanager
def progress_bar(title: str) -> Iterator[Tick]:
    """A bar on standard error, gone at the end; nothing where that is no terminal."""
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed} tried"),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task(title, total=None)

        def tick(what: str) -> None:
            progress.update(task, description=f"{title}: {what}"[:WIDTH].ljust(WIDTH), advance=1)

        yield tick
