"""The pages of the lectures say what the commands say today."""

import re
from pathlib import Path

import pytest

from tests.lecture_pages import BLOCK, HOUSE, PAGES, chosen, is_same, remade
from torchref.explainer.lectures import LECTURES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_is_current(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert is_same(text, remade(text)), "run python -m tests.lecture_pages"


def test_every_lecture_has_a_page_and_every_name_stands_on_one() -> None:
    assert [page.stem for page in PAGES[1:]] == ["000", "001", "002", "003", "004"]
    commands = " ".join(
        block["given"].partition("\n")[0]
        for page in PAGES
        for block in BLOCK.finditer(page.read_text(encoding="utf-8"))
    )
    for name in LECTURES:
        assert f"explain {name}" in commands


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_command_on_a_page_is_without_its_output(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.count("$ torchref") == sum(
        block["given"].startswith("$ torchref") for block in BLOCK.finditer(text)
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!http)([^)#]*)", page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), link
    assert HOUSE in page.parents


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("0.1 right", "0.1 right", True),
        ("0.12345678912345", "0.12345678912346", True),
        ("0.1234567", "0.1234568", False),
        ("± 1.0e-12 right", "± 3e-13 right", True),
        ("right", "wrong", False),
        ("9 factors", "9 factors 1", False),
        ("-0.5", "0.5", False),
    ],
)
def test_what_is_the_same(one: str, other: str, same: bool) -> None:
    assert is_same(one, other) is same


def test_a_stale_page_is_seen() -> None:
    text = "```console\n$ torchref explain two-neuron-chain\nnothing of the kind\n```"
    assert not is_same(text, remade(text))
    assert is_same(remade(text), remade(remade(text)))
    block = "```python\nprint(1 + 1)\n```\n\n```text\n3\n```"
    assert remade(block) == block.replace("3\n", "2\n")


def test_a_section_that_is_not_there_is_said() -> None:
    assert chosen("One\na\n\n  b\n\nTwo\nc\n", ["Two"]) == "Two\nc\n"
    with pytest.raises(LookupError, match="Three"):
        chosen("One\na\n", ["Three"])
