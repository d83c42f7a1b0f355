"""The page of causes is what the table says and its examples print, and leaves no cause out."""

import pytest

from tests.pages.causes import (
    PAGE,
    Section,
    first_named,
    groups,
    printed,
    shown,
    written_anew,
)
from torchref.checker.causes.table import CAUSES

TEXT = PAGE.read_text(encoding="utf-8")
SECTIONS = [each for _, _, sections in groups(TEXT) for each in sections]
ANEW = "run python -m tests.pages.causes"
every_section = pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.cause)


def test_every_cause_has_an_example() -> None:
    assert sorted(each.cause for each in SECTIONS) == sorted(CAUSES)


@every_section
def test_an_example_prints_what_is_shown_and_its_cause_first(section: Section) -> None:
    assert section.now.strip() == section.anew.strip(), ANEW
    assert first_named(section.now) == section.cause


@every_section
def test_as_its_comment_says_it_is_right(section: Section) -> None:
    assert section.mended != section.code
    report = printed(section.mended)
    assert ": right\n" in report
    assert first_named(report) is None, report


def test_the_list_of_contents_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Section, "anew", property(lambda section: section.now.rstrip("\n") + "\n"))
    assert written_anew(TEXT) == TEXT, ANEW


def test_what_is_shown_ends_with_the_first_finding() -> None:
    report = "f: wrong\n  1. raises in x\n     told\n     look\n  2. transposed in y\n     told\n"
    assert shown(report) == "f: wrong\n  1. raises in x\n     told\n     look\n"
    assert first_named(report) == "raises"
    assert first_named("f: right\n  note: told\n") is None
