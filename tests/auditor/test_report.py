"""What an audit reports: verdicts, what is expected, hints, twins, and what it did not see."""

import json
import warnings
from typing import Any

import pytest
import torch
from torch.autograd import Function
from torch.utils.checkpoint import checkpoint

import torchref
from tests.auditor.planted import NoMask, Scaled, WritesSaved
from tests.auditor.right_ones import Swish
from torchref.auditor.report.page import page


def audited(*functions: type[Function], **options: Any) -> torchref.AuditReport:
    with torchref.audit() as audit:
        for function in functions:
            function.apply(torch.randn(4, 3, requires_grad=True)).sum().backward()
    return audit.report(**options)


class Round(Function):
    @staticmethod
    def forward(ctx, x):
        return x.round()

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y


class Reversal(Function):
    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad_y):
        return -0.5 * grad_y


class Clipped(Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y.clamp(-0.1, 0.1)


class Counting(Function):
    count = 0

    @staticmethod
    def forward(ctx, x):
        Counting.count += 1
        ctx.factor = Counting.count
        return x * ctx.factor

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y * ctx.factor


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (Round, "a straight-through estimator or a surrogate gradient"),
        (Reversal, "a gradient reversal, of -0.5 times grad_output"),
        (Clipped, "its forward is the identity"),
        (Counting, "a forward has state"),
        (NoMask, "its backward passes grad_output as it came"),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_what_may_be_meant_is_hinted_at_and_can_be_declared(
    function: type[Function], hint: str
) -> None:
    report = audited(function)
    assert report.verdict == "wrong"
    assert report.rows[0].note.startswith("does not match its forward: ")
    assert hint in report.rows[0].note
    name = function.__name__
    declared = audited(function, Swish, expect={name: "on purpose"})
    assert [row.verdict for row in declared.rows] == ["expected", "right"]
    assert declared.rows[0].note == "expected: on purpose"
    assert declared.verdict == "right"
    declared.raise_if_wrong()


def test_a_mistake_is_not_taken_for_a_purpose() -> None:
    (row,) = audited(Scaled).rows
    assert row.note == ""


class RealPart(Function):
    """Its factor of 2 is a mistake: the real part is no identity of a complex number."""

    @staticmethod
    def forward(ctx, z):
        return z.real.clone()

    @staticmethod
    def backward(ctx, grad_y):
        return (2 * grad_y).to(torch.complex64)


def test_the_real_part_of_a_complex_number_is_no_identity() -> None:
    with torchref.audit() as audit:
        z = torch.randn(4, 3, dtype=torch.complex64, requires_grad=True)
        RealPart.apply(z).sum().backward()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's of a cast, which is an error here and no hint
        (row,) = audit.report().rows
    assert (row.verdict, row.note) == ("wrong", "")


def test_an_expectation_that_comes_to_nothing_is_told() -> None:
    report = audited(Swish, expect={"Swish": "a surrogate", "Swosh": "another"})
    assert report.verdict == "right"
    assert (
        "was expected not to match its forward (a surrogate), and is right" in report.rows[0].note
    )
    assert "expect names Swosh, and no such Function was applied" in report.notes


def test_a_twin_is_suggested_and_not_used() -> None:
    report = audited(Swish)
    assert report.notes == (
        "Swish may equal torch.nn.functional.silu: --reference Swish=torch.nn.functional:silu",
    )
    assert report.rows[0].reports[0].reference is None


def test_hazards_are_told_and_do_not_count() -> None:
    (row,) = audited(WritesSaved).rows
    assert row.verdict == "right"
    assert "mutates-saved" in row.hazards
    assert audited(WritesSaved, order=2).verdict == "wrong"


def test_torchs_own_are_left_out_and_named() -> None:
    x = torch.randn(3, requires_grad=True)
    with torchref.audit() as audit:
        checkpoint(torch.sin, x, use_reentrant=True).sum().backward()
    report = audit.report()
    assert report.rows == ()
    assert report.notes == (
        "torch's own, and not checked: torch.utils.checkpoint.CheckpointFunction",
    )
    assert report.verdict == "cannot tell"


def test_what_was_compiled_is_said_not_to_be_seen() -> None:
    x = torch.randn(3, requires_grad=True)
    with torchref.audit() as audit:
        torch.compile(lambda x: Swish.apply(x) + 1, backend="aot_eager")(x).sum().backward()
    report = audit.report()
    assert report.rows == ()
    assert "torch.compile traced 1 frame, whose Functions are not seen" in report.notes[-1]


def test_inputs_that_cannot_be_judged_are_named() -> None:
    x = torch.tensor([1.0, torch.nan], requires_grad=True)
    with torchref.audit() as audit:
        Swish.apply(x).sum().backward()
    (row,) = audit.report().rows
    assert row.verdict == "cannot tell"
    assert "not checked: Swish: the inputs must hold no NaN" in row.note


def test_autocast_is_said_not_to_be_repeated() -> None:
    x = torch.randn(3, requires_grad=True)
    with torchref.audit() as audit, torch.autocast("cpu", torch.bfloat16):
        Swish.apply(x).sum().backward()
    (row,) = audit.report().rows
    assert row.verdict == "right"
    assert row.note == "applied under autocast to bfloat16, checked without"


def test_it_has_no_truth_value_and_raises_where_something_is_wrong() -> None:
    report = audited(Scaled, Swish)
    with pytest.raises(TypeError, match="a condition must be true or false"):
        bool(report)
    with pytest.raises(torchref.WrongGradientError, match="Scaled: wrong"):
        report.raise_if_wrong()


def test_it_is_told_as_a_table_with_stories() -> None:
    told = str(audited(Scaled, Swish))
    assert "1. constant-factor in x" in told
    assert "tests/auditor/planted.py:" in told
    assert "Swish against" not in told
    assert str(torchref.AuditReport(())) == "No Function was applied: there is nothing to check."


def test_it_is_written_in_plain_types() -> None:
    document = json.loads(json.dumps(audited(Scaled).to_dict()))
    (row,) = document["functions"]
    assert (row["name"], row["calls"], row["shapes"]) == ("Scaled", 1, [[[4, 3]]])
    assert row["reports"][0]["findings"][0]["cause"] == row["cause"] == "constant-factor"


def test_the_page_stands_by_itself_and_escapes_what_it_shows() -> None:
    report = audited(Scaled)
    document = {"program": ["<b>.py"], "torchref": "1", "torch": "2", "seed": 0}
    html = page(report, document)
    assert "&lt;b&gt;.py" in html
    assert "constant-factor" in html
    assert "every entry is 0.5 times the true one" in html
    assert not any(each in html for each in ("<script", "http", "<link", "src="))


def test_what_a_report_does_not_take_is_named() -> None:
    with torchref.audit() as audit, pytest.raises(torchref.InputError, match="after its with"):
        audit.report()
    with pytest.raises(torchref.InputError, match="inputs arrived"):
        audit.report(inputs=())
    with pytest.raises(torchref.InputError, match="a reason for each Function"):
        audit.report(expect={"Round": ""})
    with pytest.raises(torchref.InputError, match="entered once"), audit, audit:
        pass
