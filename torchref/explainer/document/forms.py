"""An explanation as tables for a terminal, as Markdown, HTML and as a LaTeX document."""

import shutil
from collections.abc import Iterable, Iterator

from rich import box
from rich.console import Console
from rich.text import Text

from torchref.checker.report.notebook import html
from torchref.checker.report.table import Table
from torchref.explainer.document.latex_math import HIGH, LETTERS, LOW, latex
from torchref.explainer.document.sections import Formula, Section

NARROWEST, WITHOUT_A_TERMINAL = 20, 100  # columns
# Nothing but the packages of every installation.
HEAD = r"""\documentclass{article}
\usepackage[utf8]{inputenc}
\usepackage[T1]{fontenc}
\usepackage{amsmath}
\usepackage[margin=2cm,landscape]{geometry}
\setlength{\parindent}{0pt}
\begin{document}
"""
SPECIAL = {"_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "±": r"$\pm$"}
SYMBOLS = {*LETTERS, *LOW, *HIGH}


def as_text(sections: Iterable[Section], width: int | None) -> str:
    """Without a width COLUMNS, or the terminal's own; never so narrow that a table is none."""
    if width is None:
        width = max(NARROWEST, shutil.get_terminal_size((WITHOUT_A_TERMINAL, 24)).columns)
    console = Console(width=width, color_system=None, highlight=False)
    with console.capture() as capture:
        for section in sections:
            console.print(Text(section.title, style="bold"), *map(Text, section.lines), sep="\n")
            console.print(*tables(section))  # a table ends with an empty line of its own
    return "\n".join(line.rstrip() for line in capture.get().splitlines()).rstrip() + "\n"


def tables(section: Section) -> Iterator[Table]:
    if section.header:
        table = Table(*section.header, box=box.SIMPLE_HEAD)
        for row in section.rows:
            table.add_row(*map(Text, row))
        yield table


def as_markdown(sections: Iterable[Section]) -> str:
    """Formulas stay text, because TensorBoard renders no LaTeX."""
    return "\n\n".join(part for section in sections for part in markdown(section)) + "\n"


def markdown(section: Section) -> Iterator[str]:
    yield f"### {section.title}"
    yield from map(marked, section.lines)
    if section.header:
        table = [section.header, ("---",) * len(section.header), *section.rows]
        yield "\n".join(f"| {' | '.join(map(marked, row))} |" for row in table)


def marked(text: str) -> str:
    return f"`{text}`" if isinstance(text, Formula) and text else text


def as_html(sections: Iterable[Section]) -> str:
    """For a notebook."""
    file = "explainer/document/notebook.html.jinja"
    return html(file, sections=sections, is_formula=lambda text: isinstance(text, Formula))


def as_latex(sections: Iterable[Section]) -> str:
    body = "\n".join(line for section in sections for line in latex_lines(section))
    return f"{HEAD}{body}\n\\end{{document}}\n"


def latex_lines(section: Section) -> Iterator[str]:
    yield rf"\section*{{{plain(section.title)}}}"
    for line in section.lines:
        yield rf"\[ {latex(line)} \]" if isinstance(line, Formula) else plain(line) + r"\par"
    if section.header:
        yield r"\medskip"
        yield rf"\begin{{tabular}}{{{'l' * len(section.header)}}}"
        yield " & ".join(map(cell, section.header)) + r" \\ \hline"
        yield from (" & ".join(map(cell, row)) + r" \\[0.8ex]" for row in section.rows)
        yield r"\end{tabular}"


def cell(text: str) -> str:
    return rf"$\displaystyle {latex(text)}$" if isinstance(text, Formula) and text else plain(text)


def plain(text: str) -> str:
    """Running text, with the symbols in it as mathematics."""
    return " ".join(
        f"${latex(word)}$" if SYMBOLS & set(word) else "".join(SPECIAL.get(c, c) for c in word)
        for word in text.split(" ")
    )
