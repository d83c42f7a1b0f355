"""An explanation as tables for a terminal."""

import shutil

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from torchref.explainer.chain.account import Account
from torchref.explainer.document.sections import Section, sections

NARROWEST, WITHOUT_A_TERMINAL = 40, 100  # columns


def terminal_width() -> int:
    """COLUMNS, or the terminal's own; never so narrow that a table is none."""
    return max(NARROWEST, shutil.get_terminal_size((WITHOUT_A_TERMINAL, 24)).columns)


def as_text(found: Account, width: int) -> str:
    console = Console(width=width, color_system=None, highlight=False)
    with console.capture() as capture:
        for section in sections(found):
            console.print(drawn(section))
            if not section.header:  # a table ends with an empty line of its own
                console.print()
    return "\n".join(line.rstrip() for line in capture.get().splitlines()).rstrip() + "\n"


def drawn(section: Section) -> Group:
    """The section with its title and lines over its table."""
    parts: list[Text | Table] = [Text(section.title, style="bold"), *map(Text, section.lines)]
    if section.header:
        table = Table(box=box.SIMPLE_HEAD)
        for header in section.header:
            table.add_column(header, overflow="fold")  # of a formula nothing is cut off
        for row in section.rows:
            table.add_row(*map(Text, row))
        parts.append(table)
    return Group(*parts)
