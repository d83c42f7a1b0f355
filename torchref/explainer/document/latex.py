"""An explanation as a LaTeX document, with nothing but the packages of every installation."""

from collections.abc import Iterator

from torchref.explainer.chain.account import Account
from torchref.explainer.document.latex_math import HIGH, LETTERS, LOW, latex
from torchref.explainer.document.sections import Formula, Section, sections

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


def as_latex(found: Account) -> str:
    body = "\n".join(line for section in sections(found) for line in lines(section))
    return f"{HEAD}{body}\n\\end{{document}}\n"


def lines(section: Section) -> Iterator[str]:
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
