"""`torchref causes`: what a finding may name."""

from typing import Annotated

import typer
from rich.text import Text

from torchref.checker.causes.table import CAUSES
from torchref.cli.terminal import known, out

EPILOG = "Examples:\n\n`torchref causes`\n\n`torchref causes missing-term`"


def causes_command(
    causes: Annotated[list[str] | None, typer.Argument(help="Some of them; all if none.")] = None,
) -> None:
    """List the causes that a finding may name, what each means and what to look at then."""
    for name in causes or CAUSES:
        cause = CAUSES[known(name, CAUSES, "a cause", "Leave it out to see them all.")]
        told = Text.assemble((name, "bold"), f"\n  {cause.meaning}\n  ", (cause.look_at, "italic"))
        out.print(told, soft_wrap=True)
