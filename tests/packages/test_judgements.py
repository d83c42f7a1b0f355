"""Each Function that the page finds right against the audit was judged by hand, and no other."""

import re
from pathlib import Path

import pytest

from tests.packages.judgements import JUDGEMENTS, SENSES

PAGE = (Path(__file__).parents[2] / "docs" / "field_survey.md").read_text()
_, SECTION = PAGE.split("\n## Accused or doubted alone, right in the call\n")
ACCUSED, ALL = SECTION.split("\n## All Functions\n")
TOLD = set(re.findall(r"^\| (\S+) `([^`]+)` \|", ACCUSED, re.MULTILINE))
HAS = set(re.findall(r"^\| (\S+) \| `([^`]+)` \|", ALL, re.MULTILINE))
CUT_SHORT = set(re.findall(r"^- (\w+)\.\w+: .*; it was left out$", ALL, re.MULTILINE))
JUDGED = [(package, name) for package, its in JUDGEMENTS.items() for name in its]


def test_every_function_that_is_accused_and_right_is_judged() -> None:
    assert len(TOLD) > 20
    assert not TOLD - set(JUDGED)
    assert "not judged" not in PAGE


@pytest.mark.parametrize(("package", "name"), JUDGED)
def test_no_judgement_is_stale(package: str, name: str) -> None:
    """One that the audit comes to find right may keep its judgement; one that is gone may not.

    Of a package whose survey was cut short, the Functions of the call left out are not known.
    """
    assert (package, name) in HAS or package in CUT_SHORT
    judgement = JUDGEMENTS[package][name]
    assert judgement.sense in SENSES
    assert judgement.gradient
    assert judgement.confirmed
