"""`torchref causes`: what a finding may name."""

from typing import Annotated

import typer
from rich.text import Text

from torchref.checker.causes.table import CAUSES
from torchref.checker.report.table import say
from torchref.cli.terminal import out
from torchref.errors import known

EPILOG = "Examples:\n\n`torchref causes`\n\n`torchref causes missing-term`"


def causes_command(
    causes: Annotated[
        list[str] | None, typer.Argument(metavar="CAUSE", help="Some of them; all if none.")
    ] = None,
) -> None:
    """List the causes that a finding may name, what each means and what to look at then."""
    everything = "Leave it out to see them all."
    for name in [known(name, CAUSES, "a cause", everything) for name in causes or CAUSES]:
        cause = CAUSES[name]
        say(Text(name, "bold"), out)
        say(Text(f"  {cause.meaning}"), out)
        say(Text(f"  {cause.look_at}", "italic"), out)
