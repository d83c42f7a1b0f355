"""The page of all causes: the code stands in it, and what the code prints is filled in.

    python -m tests.pages.causes

writes docs/causes.md anew: the words of each cause, from the table of causes, what its example
prints, and the list at the top. Groups, order and examples are those of the page.
"""

import io
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from torchref.checker.causes.table import CAUSES

PAGE = Path(__file__).parents[2] / "docs" / "causes.md"
GROUP = re.compile(r"^## (.*)\n", re.MULTILINE)
CAUSE = re.compile(r"^### (.*)\n", re.MULTILINE)
EXAMPLE = re.compile(r"```python\n(.*?)```", re.DOTALL)
MENDED = re.compile(r"^( *)\S.*  # right: (.*)$", re.MULTILINE)
FINDING = re.compile(r"^  (?:1\.|hazard:) ([a-z-]+) in ", re.MULTILINE)


@dataclass(frozen=True)
class Section:
    """One cause on the page: the code of its example, and what stands there now."""

    cause: str
    code: str
    now: str

    @property
    def mended(self) -> str:
        """The example with each wrong line as the comment beside it says."""
        return MENDED.sub(r"\1\2", self.code)

    @property
    def anew(self) -> str:
        meaning = CAUSES[self.cause].meaning
        return (
            f"### {self.cause}\n\n{meaning[0].upper()}{meaning[1:]}.\n\n"
            f"```python\n{self.code}```\n\n```\n{shown(printed(self.code))}```\n"
        )


def printed(code: str) -> str:
    """What an example prints, in a process of its own names."""
    told = io.StringIO()
    with redirect_stdout(told):
        exec(code, {"__name__": "__main__"})
    return told.getvalue()


def shown(report: str) -> str:
    """A report as far as its first finding, which has three lines."""
    lines = report.splitlines(keepends=True)
    first = next((i for i, line in enumerate(lines) if FINDING.match(line)), len(lines))
    return "".join(lines[: first + 3])


def first_named(report: str) -> str | None:
    """The cause that a report names first: a finding, or a hazard where there is none."""
    found = FINDING.search(report)
    return found and found[1]


def parts(page: str, heading: re.Pattern[str]) -> tuple[str, list[tuple[str, str]]]:
    """What stands before the first heading of this depth, and by heading what is below it."""
    before, *rest = heading.split(page)
    return before, list(zip(rest[::2], rest[1::2], strict=True))


def groups(page: str) -> Iterator[tuple[str, str, list[Section]]]:
    """Each group of the page: its title, what is said of it, and its causes."""
    for title, below in parts(page, GROUP)[1]:
        before, causes = parts(below, CAUSE)
        yield (
            title,
            before,
            [Section(name, _code(name, text), f"### {name}\n{text}") for name, text in causes],
        )


def _code(cause: str, text: str) -> str:
    example = EXAMPLE.search(text)
    assert example, f"{cause} has no example"
    return example[1]


def listed(title: str, sections: list[Section]) -> str:
    """One group in the list of contents."""
    rows = (
        f"| [{each.cause}](#{each.cause}) | {CAUSES[each.cause].meaning} |" for each in sections
    )
    return "\n".join((f"| {title} | |", "| --- | --- |", *rows, ""))


def written_anew(page: str) -> str:
    """The page with all that is not its own filled in."""
    head = parts(page, GROUP)[0].partition("\n|")[0]
    all_of_it = list(groups(page))
    contents = [listed(title, sections) for title, _, sections in all_of_it if sections]
    below = (
        f"## {title}\n{before}" + "\n".join(each.anew for each in sections)
        for title, before, sections in all_of_it
    )
    return "\n".join((head, *contents, *below))


if __name__ == "__main__":
    PAGE.write_text(written_anew(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
