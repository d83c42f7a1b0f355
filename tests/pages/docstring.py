"""The docstring of an op in its parts, and as Markdown."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby

PARTS = re.compile(r"^(Derivation:|Shapes:|Saves|Source:) ")
EXAMPLE = ">>> "
CODE = re.compile(r"(`[^`]*`)")
MARKUP = re.compile(r"(?<!\w)_|[*<^~]|^>")  # or what an extension of Markdown takes for it
Link = Callable[[str], str]


@dataclass
class Docstring:
    """What an op computes, what is said of it, and its parts by name."""

    formula: str
    said: str = ""
    parts: dict[str, str] = field(default_factory=dict)
    example: str = ""


def parsed(docstring: str) -> Docstring:
    """A docstring of `torchref.ops`, cut where its parts begin."""
    formula, _, rest = docstring.partition("\n\n")
    found = Docstring(formula)
    part = None
    before, start, example = rest.partition(EXAMPLE)
    for line in before.splitlines():
        begun = PARTS.match(line)
        if begun:
            part = begun[1]
            found.parts[part] = line[begun.end() :]
        elif part is None:
            found.said += f"{line}\n"
        else:
            found.parts[part] += f"\n{line}"
    found.said = found.said.strip("\n")
    found.example = start + example
    return found


def markdown(text: str, link: Link) -> str:
    """Paragraphs as they are; tables too; what is indented, a formula, as a block of text."""
    pieces = []
    for kind, lines in groupby(text.splitlines(), _kind):
        if kind == "formula":
            indent = "    "
            piece = "\n".join(line.removeprefix(indent) for line in lines)
            pieces.append(block(piece))
        elif kind == "table":
            pieces.append("\n".join(lines))
        elif kind == "prose":
            pieces.append("\n".join(escaped(line, link) for line in lines))
    return "\n\n".join(pieces)


def _kind(line: str) -> str:
    if not line.strip():
        return "nothing"
    if line.startswith("    "):
        return "formula"
    return "table" if line.startswith("|") else "prose"


def escaped(line: str, link: Link) -> str:
    """A line of prose: what is no markup stays as it is read, and a name in code is linked."""
    pieces = CODE.split(line)
    return "".join(
        link(piece) if CODE.fullmatch(piece) else MARKUP.sub(lambda m: f"&#{ord(m[0])};", piece)
        for piece in pieces
    )


def block(text: str, language: str = "text") -> str:
    """A block of code."""
    return f"```{language}\n{text.rstrip()}\n```"
