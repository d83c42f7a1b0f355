"""The page on the architecture names what there is: rooms, floors and classes."""

import ast
import re
from pathlib import Path

from tests.test_floors import FLOORS, MOST_ENTRIES

HOUSE = Path(__file__).parent.parent
PAGE = (HOUSE / "docs" / "architecture.md").read_text(encoding="utf-8")
CHECKER = HOUSE / "torchref" / "checker"
MOST_NOUNS = 12


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def first_cells(text: str) -> list[str]:
    cells = re.findall(r"^\| (.*?) \|", text, re.MULTILINE)
    return [cell for cell in cells if cell not in ("room", "floor", "noun", "---")]


def names(cell: str) -> set[str]:
    return set(re.findall(r"`([\w/.]+?)/?`", cell))


def entries(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir() if not each.name.startswith("__")}


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(
        r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )


def anchors(page: Path) -> set[str]:
    """What a link may name on a page: its headings in small letters, with hyphens for spaces."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_room_of_the_checker_is_there() -> None:
    of_checker, of_house = section("The rooms").split("\nThe other rooms")
    assert set().union(*map(names, first_cells(of_checker))) == entries(CHECKER)
    others = set().union(*map(names, first_cells(of_house)))
    assert all((HOUSE / room).exists() for room in others)
    small = {"py.typed", "errors.py"}
    assert {f"torchref/{name}" for name in entries(HOUSE / "torchref") - small - {"checker"}} == {
        room for room in others if room.startswith("torchref/")
    }


def test_every_floor_is_there() -> None:
    rows = re.findall(r"^\| ([\d.]+) \| (.*) \|$", section("The floors"), re.MULTILINE)
    told = {room: float(floor) for floor, rooms in rows for room in names(rooms)}
    assert told == FLOORS
    assert [float(floor) for floor, _ in rows] == sorted(set(FLOORS.values()), reverse=True)


def test_the_words_are_classes_of_the_checker() -> None:
    nouns = first_cells(section("Words"))
    classes = {
        node.name
        for file in CHECKER.rglob("*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    }
    assert set(nouns) <= classes
    assert len(nouns) <= MOST_NOUNS


def test_a_folder_that_is_said_to_be_full_is_full() -> None:
    assert "The folder is full." in PAGE
    assert len(entries(CHECKER / "probes")) == MOST_ENTRIES


def test_links_lead_somewhere() -> None:
    for page in (*(HOUSE / "docs").rglob("*.md"), HOUSE / "CONTRIBUTING.md"):
        for link in re.findall(r"\]\((?!http)(.*?)\)", prose(page)):
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            assert target.exists(), f"{page.name}: {link}"
            assert not anchor or anchor in anchors(target), f"{page.name}: {link}"
