"""Verdicts, the order of findings, and the causes: a fixed list with one advice each."""

from dataclasses import replace

import pytest

from tests.corpora.wrong_ops import CAUSES as PLANTED_CAUSES
from torchref import Finding, Report, WrongGradientError
from torchref.checker import Check
from torchref.checker.causes.table import CAUSES
from torchref.checker.report.dependence import EXPLAINS, ranked
from torchref.checker.report.ledger import Ledger


def finding(cause: str, argument: str | None = "x", at: str = "as given") -> Finding:
    return Finding(cause, argument, (1, 2), f"evidence of {cause}", at)


def report(findings=(), checks=()) -> Report:
    return Report("Candidate", "reference", 0, tuple(findings), tuple(checks))


def test_what_is_promised_is_in_the_list() -> None:
    assert set(CAUSES) >= PLANTED_CAUSES
    assert set(EXPLAINS) <= set(CAUSES)


@pytest.mark.parametrize("cause", CAUSES)
def test_every_cause_says_what_it_means_and_where_to_look(cause: str) -> None:
    assert CAUSES[cause].meaning
    assert CAUSES[cause].look_at.endswith((".", "?"))
    assert finding(cause).look_at == CAUSES[cause].look_at


@pytest.mark.parametrize(
    ("findings", "statuses", "verdict"),
    [
        ([], ["passed"], "right"),
        ([], ["passed", "skipped"], "right"),
        ([], ["skipped"], "cannot tell"),
        ([], [], "cannot tell"),
        ([], ["passed", "cannot tell"], "cannot tell"),
        (["sign-flipped"], ["failed"], "wrong"),
        (["sign-flipped"], ["failed", "cannot tell"], "wrong"),
        (["reference-wrong"], ["passed"], "right"),
        (["reference-wrong", "raises"], ["failed"], "wrong"),
    ],
)
def test_verdicts(findings: list[str], statuses: list[str], verdict: str) -> None:
    checks = [Check(f"gradient by oracle {i}", status) for i, status in enumerate(statuses)]
    made = report([finding(cause) for cause in findings], checks)
    assert made.verdict == verdict
    if verdict == "right":
        made.raise_if_wrong()
    else:
        with pytest.raises(WrongGradientError) as raised:
            made.raise_if_wrong()
        assert str(raised.value) == str(made)
        assert isinstance(raised.value, AssertionError)


def test_the_worst_error_is_that_of_all_checks() -> None:
    checks = [Check("a", "passed", 0.25), Check("b", "passed"), Check("c", "failed", 7.0)]
    assert report(checks=checks).worst == 7.0
    assert report().worst == 0.0


def test_what_explains_the_others_comes_first() -> None:
    found = [finding("missing-term"), finding("sign-flipped"), finding("stale-state")]
    assert [each.cause for each in ranked(found)] == ["stale-state", "missing-term", "sign-flipped"]


def test_what_is_vague_is_left_out_where_its_numbers_are_spoilt() -> None:
    vague = replace(finding("missing-term"), vague=True)
    assert ranked([vague]) == (vague,)
    for spoils in (finding("uninitialised-memory"), finding("forward-wrong", None)):
        assert ranked([vague, spoils]) == (spoils,)
    elsewhere = finding("stale-state", "y")
    assert ranked([vague, elsewhere]) == (elsewhere, vague)
    assert ranked([finding("transposed"), vague]) == (finding("transposed"), vague)


def test_without_a_gradient_that_was_compared_nothing_is_right() -> None:
    assert report([], [Check("contract", "passed"), Check("forward", "passed")]).verdict == (
        "cannot tell"
    )


def test_each_cause_is_told_once_for_each_argument() -> None:
    found = [finding("raises", "x"), finding("raises", "y"), finding("raises", "x", "zeros in x")]
    assert [(each.argument, each.at) for each in ranked(found)] == [
        ("x", "as given"),
        ("y", "as given"),
    ]


def test_a_ledger_keeps_the_worst_of_each_check() -> None:
    ledger = Ledger()
    ledger.enter("forward", [], 0.5)
    ledger.enter("forward", [finding("forward-wrong")], 3.0)
    ledger.enter("forward", [], 0.1)
    ledger.skip("vmap", "not offered")
    ledger.skip("forward", "nothing more to see")
    ledger.note("noted")
    ledger.note("noted")
    made = ledger.report("Candidate", None, 7)
    by_name = {check.name: check for check in made.checks}
    assert (by_name["forward"].status, by_name["forward"].worst) == ("failed", 3.0)
    assert (by_name["vmap"].status, by_name["vmap"].note) == ("skipped", "not offered")
    assert made.notes == ("noted",)
    assert ledger.guilty


def test_a_wrong_reference_makes_no_candidate_guilty() -> None:
    ledger = Ledger()
    ledger.enter("gradient by reference", [finding("reference-wrong")])
    assert not ledger.guilty
    assert ledger.checks["gradient by reference"].status == "passed"
