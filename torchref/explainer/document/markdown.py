"""An explanation as Markdown; formulas stay text, because TensorBoard renders no LaTeX."""

from collections.abc import Iterable, Iterator

from torchref.explainer.chain.account import Account
from torchref.explainer.document.sections import Formula, Section, sections


def as_markdown(found: Account) -> str:
    return "\n\n".join(part for section in sections(found) for part in parts(section)) + "\n"


def parts(section: Section) -> Iterator[str]:
    yield f"### {section.title}"
    yield from (cell(line) for line in section.lines)
    if section.header:
        lines = [section.header, ("---",) * len(section.header), *section.rows]
        yield "\n".join(map(table_row, lines))


def table_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(map(cell, cells))} |"


def cell(text: str) -> str:
    return f"`{text}`" if isinstance(text, Formula) and text else text
