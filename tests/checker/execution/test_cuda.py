"""An assertion on the device ends the check with a report, and variations do not run into one."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.checker.given import assert_right, assert_wrong, case_of, normal, seeded
from torchref import crosscheck
from torchref.checker.execution.cuda import (
    can_rehearse,
    checks_bounds,
    ends_the_context,
    integers_in,
    is_admitted,
)
from torchref.checker.execution.subject import as_subject
from torchref.ops import Affine

ASSERTION = "CUDA error: device-side assert triggered"


def asserts_where_zero(x: Tensor) -> Tensor:
    if bool((x == 0).any()):
        raise RuntimeError(ASSERTION)
    return x.sin()


@pytest.mark.parametrize("reference", [None, torch.sin])
def test_an_assertion_ends_the_check_with_what_was_learnt(reference: object) -> None:
    report = crosscheck(asserts_where_zero, reference, (normal(3, 4),))
    (finding,) = report.findings
    assert (finding.cause, finding.at) == ("raises", "a zero in x")
    assert ASSERTION in finding.evidence
    assert "contract" in {check.name for check in report.checks if check.status == "passed"}
    assert any("start a new process" in note for note in report.notes)


def test_an_assertion_at_the_inputs_given_is_reported_too() -> None:
    report = assert_wrong(asserts_where_zero, torch.sin, (torch.zeros(3),))
    assert report.findings[0].at == "as given"


def test_other_errors_leave_the_device_as_it_was() -> None:
    assert not ends_the_context(ValueError(ASSERTION))
    assert not ends_the_context(RuntimeError("index out of range"))
    assert not ends_the_context(torch.OutOfMemoryError("CUDA error: out of memory"))
    assert ends_the_context(RuntimeError(ASSERTION))


def test_on_the_cpu_everything_may_be_tried() -> None:
    assert is_admitted(None, "indices", case_of(torch.sin, normal(3)))


def test_what_checks_no_bounds_may_be_given_other_values_alone_without_a_reference() -> None:
    case = case_of(torch.sin, normal(3))
    assert not is_admitted(None, "sizes", case, checks_bounds=False)
    assert is_admitted(None, "values", case, checks_bounds=False)
    assert is_admitted(as_subject(torch.sin), "sizes", case, checks_bounds=False)


def test_the_integers_that_a_call_needs_are_seen() -> None:
    rows = 7

    def inner(x, count=5):
        return x.reshape(rows, count) * 3

    def outer(x):
        return inner(x)

    assert {3, 5, 7} <= set(integers_in(outer))
    assert {4, 9} <= set(integers_in(partial(lambda x, n: x + 4, n=9)))
    assert not set(integers_in(torch.sin))
    assert checks_bounds([Affine])


@pytest.mark.cuda
def test_the_reference_says_on_the_cpu_what_may_be_tried() -> None:
    rows = normal(4, 3).cuda()

    def lookup(weight: Tensor, index: Tensor) -> Tensor:
        return F.embedding(index, weight)

    def with_its_own_rows(index: Tensor, scale: Tensor) -> Tensor:
        return F.embedding(index, rows) * scale

    subject = as_subject(lookup)
    inside = case_of(lookup, rows, torch.tensor([0, 3]).cuda())
    assert can_rehearse(subject, inside)
    assert is_admitted(subject, "indices", inside)
    with pytest.raises(IndexError):
        is_admitted(subject, "indices", case_of(lookup, rows, torch.tensor([0, 4]).cuda()))
    closed = case_of(with_its_own_rows, torch.tensor([0, 3]).cuda(), normal(2, 3).cuda())
    assert not is_admitted(as_subject(with_its_own_rows), "sizes", closed)
    assert is_admitted(as_subject(with_its_own_rows), "values", closed)
    assert not is_admitted(None, "indices", inside)


def loss_of_classes(x: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(x, target)


@pytest.mark.cuda
@pytest.mark.parametrize("reference", [None, F.cross_entropy])
def test_an_index_that_asserts_on_the_device_is_never_tried_there(reference: object) -> None:
    inputs = torch.rand(3, 4, generator=seeded(0)).cuda(), torch.tensor([0, 3, 1]).cuda()
    assert_right(loss_of_classes, reference, inputs)
    assert float(torch.ones(3).cuda().sum()) == 3.0


@pytest.mark.parametrize("function", [torch.sin, lambda x: x.amax(-1), lambda x: 2 * x.detach()])
@pytest.mark.parametrize("reference", [None, torch.sin])
def test_the_users_default_device_is_no_matter(function: object, reference: object) -> None:
    """What is drawn belongs to the inputs' device: meta tensors would have no values at all."""
    x, matched = normal(3, 4), reference if function is torch.sin else None
    plain = crosscheck(function, matched, (x,))
    with torch.device("meta"):
        assert crosscheck(function, matched, (x,)).to_dict() == plain.to_dict()
