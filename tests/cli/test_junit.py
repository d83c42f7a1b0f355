"""JUnit XML of results: what a CI server counts, whatever the texts hold."""

from xml.etree import ElementTree

import torch

from torchref import crosscheck
from torchref.cli.reporting.junit import junit
from torchref.cli.reporting.results import Result, Results


def suite_of(*results: Result) -> ElementTree.Element:
    text = junit(Results("kernels.py", "candidate", "cpu", 0, list(results)))
    (suite,) = ElementTree.fromstring(text)
    return suite


def doubled(x: torch.Tensor) -> torch.Tensor:
    return 2 * x


def test_each_kind_of_result_is_counted_and_told() -> None:
    x = torch.randn(3)
    right = crosscheck(doubled, lambda x: x + x, (x,), thorough=False)
    wrong = crosscheck(doubled, torch.sin, (x,), thorough=False)
    suite = suite_of(
        Result("Right", right, seconds=1.5),
        Result("Wrong", wrong, seconds=0.25),
        Result("Bad", why="no luck", is_error=True),
        Result("Left", why="no inputs"),
    )
    counted = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped", "time")}
    assert counted == dict(zip(counted, ("4", "1", "1", "1", "1.750"), strict=True))
    kinds = [[child.tag for child in case] for case in suite]
    assert kinds == [["system-out"], ["failure"], ["error"], ["skipped"]]
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.get("type") == "wrong"
    assert failure.text == str(wrong)
    assert "wrong-forward" in failure.get("message", "") or "in the output" in str(wrong)
    assert [case.get("name") for case in suite] == ["Right", "Wrong", "Bad", "Left"]
    assert {case.get("classname") for case in suite} == {"kernels.py"}


def test_what_cannot_be_told_is_a_failure() -> None:
    untold = crosscheck(torch.sin, None, (torch.randn(3),), seconds=1e-9)
    assert untold.verdict == "cannot tell"
    failure = suite_of(Result("sin", untold)).find("testcase/failure")
    assert failure is not None
    assert failure.get("type") == "cannot tell"


def test_no_text_breaks_the_file() -> None:
    nasty = "\x00\x1b[31m <&\"'> ]]> \ud800 \ufffe \U0001f600 é\ttab\nline"
    error = suite_of(Result(nasty, why=nasty, is_error=True)).find("testcase/error")
    assert error is not None
    message = error.get("message", "")
    for told in (r"\x00\x1b[31m", "<&\"'> ]]>", r"\ud800", r"\ufffe", "\U0001f600 é\ttab\nline"):
        assert told in message
