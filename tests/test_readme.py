"""The README fits two screens; its tables, and those that were in it, tell what there is."""

from tests.page_contents import HOUSE, commands, links
from torchref.checker.probes import BEHAVIOUR, HIGHER_ORDER

README = HOUSE / "README.md"
MOST_LINES = 100


def first_cells(page: str, header: str) -> list[str]:
    """Of the table that begins with a header, on a page of docs/."""
    text = (HOUSE / "docs" / page).read_text(encoding="utf-8")
    table = text.partition(f"\n| {header} ")[2].partition("\n\n")[0]
    return [row.split("|")[1].strip(" `") for row in table.splitlines()[2:]]


def test_it_fits_two_screens() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_its_links_lead_somewhere() -> None:
    assert [link for link in links(README) if not (HOUSE / link).exists()] == []


def test_it_has_the_command_that_ci_runs() -> None:
    tests = [each.line for each in commands(README) if each.line.startswith(".venv/bin/pytest")]
    assert tests == [".venv/bin/pytest -q -n auto"]
    assert "bin\\/pytest" in (HOUSE / ".ci" / "run").read_text(encoding="utf-8")


def test_the_table_of_experiments_has_those_that_there_are() -> None:
    modules = {file.stem for file in (HOUSE / "experiments").glob("*.py")}
    listed = first_cells("experiments.md", "experiment")
    assert set(listed) == modules - {"__init__", "__main__", "bundled_data"}


def test_the_table_of_checks_has_every_probe() -> None:
    assert first_cells("how_it_works.md", "check") == ["contract", *BEHAVIOUR, *HIGHER_ORDER]
