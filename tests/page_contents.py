"""What README and the pages of docs/ show: code, what stands below it, commands, links."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

HOUSE = Path(__file__).parent.parent
PAGES = [HOUSE / "README.md", HOUSE / "CONTRIBUTING.md", *sorted((HOUSE / "docs").rglob("*.md"))]

FENCE = re.compile(r"```(?P<language>[\w-]*)[^\n`]*")
SAVED = re.compile(r"`([\w./]+\.py)`:\s*$")  # the paragraph before a file that is to be saved
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\((?!https?:)([^)\s]+?)\)")
COMMANDS = {"indented", "bash", "console", "sh", "shell"}
PROMPT = "$ "


@dataclass(frozen=True)
class Block:
    """A block of code; `shown` is the block of output that stands directly below it."""

    language: str
    code: str
    line: int
    saved_as: str | None
    shown: str | None = None


@dataclass(frozen=True)
class Command:
    """A command that a reader may type; `shown` is what it should print, where that is there."""

    line: str
    shown: str | None = None

    @property
    def experiment(self) -> str | None:
        found = re.search(r"-m experiments\.([a-z]\w*)", self.line)
        return found and found[1]

    @property
    def words(self) -> list[str] | None:
        """What is handed to `torchref`, or None of another command."""
        found = re.search(r"(?:^|[\s/]|-m )torchref((?: .*)?)$", self.line)
        return None if found is None else shlex.split(found[1], comments=True)

    @property
    def options(self) -> list[str]:
        """Those of the command itself; what comes after `--` or a script belongs to another."""
        rest = re.split(r" -- | -m experiments\.\w+ ", f"{self.line} ")
        own = rest[-1] if self.experiment else rest[0]
        if " audit " in own:
            own = re.split(r"\.py\b| -m ", own)[0]
        return re.findall(r"(?<=\s)--[a-z][\w-]*", f" {own}")


def name_of(page: Path) -> str:
    return page.relative_to(HOUSE).as_posix()


def blocks(text: str) -> list[Block]:
    """In their order; a block of output directly below another belongs to that."""
    found: list[Block] = []
    for block, is_adjacent in _parts(text):
        is_output = not block.language and not block.code.startswith(PROMPT)
        if is_output and is_adjacent and found and found[-1].language:
            found[-1] = replace(found[-1], shown=block.code)
        else:
            found.append(block)
    return found


def _parts(text: str) -> Iterator[tuple[Block, bool]]:
    """Each block, and whether only empty lines stand between it and the one before."""
    lines = text.splitlines()
    before: list[str] = ["the page begins"]
    place = 0
    while place < len(lines):
        start, opens = place, FENCE.fullmatch(lines[place])
        if opens:
            ends = lines.index("```", place + 1)
            code, language, place = lines[place + 1 : ends], opens["language"], ends + 1
        elif lines[place].startswith("    ") and not (before and before[-1]):
            while place < len(lines) and lines[place].startswith("    "):
                place += 1
            code, language = [line[4:] for line in lines[start:place]], "indented"
        else:
            before.append(lines[place])
            place += 1
            continue
        paragraph = "\n".join(before).rstrip().rpartition("\n\n")[2]
        saved = SAVED.search(paragraph)
        block = Block(language, "\n".join([*code, ""]), start + 1, saved and saved[1])
        yield block, not any(before)
        before = []


def python(page: Path) -> list[Block]:
    return [block for block in blocks(page.read_text("utf-8")) if block.language == "python"]


def is_a_test_file(block: Block) -> bool:
    return bool(re.search(r"^def test_", block.code, re.MULTILINE))


def commands(page: Path) -> Iterator[Command]:
    """Of the blocks of commands, the last of which prints what is shown, and of the text."""
    text = page.read_text("utf-8")
    for block in blocks(text):
        is_console = block.code.startswith(PROMPT)
        if is_console:
            line, _, shown = block.code.removeprefix(PROMPT).partition("\n")
            yield Command(line, shown)
        elif block.language in COMMANDS:
            whole = block.code.replace("\\\n", " ").splitlines()
            for number, line in enumerate(whole, start=1):
                parts = line.split(" && ")
                yield from map(Command, parts[:-1])
                yield Command(parts[-1], block.shown if number == len(whole) else None)
    yield from map(Command, INLINE.findall(_without_blocks(text)))


def links(page: Path) -> list[str]:
    """The files that a page links, without the place in them."""
    found = LINK.findall(_without_blocks(page.read_text("utf-8")))
    return [link.partition("#")[0] for link in found if not link.startswith("#")]


def _without_blocks(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
