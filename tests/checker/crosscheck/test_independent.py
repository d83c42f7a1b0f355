"""One run tells all that is wrong: a finding ends the checks that mean nothing beside it alone."""

import pytest
import torch
from torch import Tensor
from torch.autograd import Function

from tests.checker.given import backward_in, normal
from tests.corpora.wrong_ops.rule import gradients_of
from torchref import Report, crosscheck


def product(x: Tensor, y: Tensor) -> Tensor:
    return x * torch.sin(y)


def to_x(g: Tensor, y: Tensor) -> Tensor:
    return g * torch.sin(y)


def to_y(g: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return g * x * torch.cos(y)


@gradients_of(product)
def Product(g, x, y):
    return to_x(g, y), to_y(g, x, y)


@gradients_of(product)
def OfTheLayout(g, x, y):
    return 2 * to_x(g, y), to_y(g, x, y) * (1.0 if g.is_contiguous() else 1.1)


@gradients_of(product)
def IntoGradOutput(g, x, y):
    grad_y = to_y(g, x, y)
    return 3 * g.mul_(torch.sin(y)), grad_y


@backward_in(Product)
def OfRequiresGrad(ctx, g):
    x, y = ctx.saved_tensors
    return -to_x(g, y), to_y(g, x, y) * (1 if ctx.needs_input_grad[0] else 2)


def report_on(candidate: type[Function], **options) -> Report:
    return crosscheck(candidate, product, (normal(4, 3), normal(4, 3, seed=1)), **options)


def found(report: Report) -> set[tuple[str, str | None]]:
    return {(finding.cause, finding.argument) for finding in report.findings}


def passed(report: Report) -> set[str]:
    return {check.name for check in report.checks if check.status == "passed"}


def test_a_right_function_has_no_finding() -> None:
    assert report_on(Product, order=2).verdict == "right"


@pytest.mark.parametrize(
    ("candidate", "both"),
    [
        (OfTheLayout, {("constant-factor", "x"), ("layout-dependent", "y")}),
        (IntoGradOutput, {("mutates-grad-output", None), ("constant-factor", "x")}),
        (OfRequiresGrad, {("sign-flipped", "x"), ("depends-on-requires-grad", "y")}),
    ],
    ids=["the layout", "a memory that is written", "what requires grad"],
)
def test_a_wrong_value_and_another_fault(candidate, both: set) -> None:
    assert both <= found(report_on(candidate))


def test_a_wrong_value_and_another_that_is_wrong_elsewhere() -> None:
    @gradients_of(product)
    def Wrong(g, x, y):
        return 2 * to_x(g, y), to_y(g, x, y) * (y != 0)

    report = report_on(Wrong)
    assert ("constant-factor", "x") in found(report)
    assert any(finding.argument == "y" and "zero" in finding.at for finding in report.findings)
    assert any("left out of variations" in note and " x," in note for note in report.notes)


def test_a_wrong_value_and_a_second_order_that_is_wrong_for_another() -> None:
    @gradients_of(product)
    def Wrong(g, x, y):
        return 2 * to_x(g, y), to_y(g, x, y).detach()

    report = report_on(Wrong, order=2)
    assert ("constant-factor", "x") in found(report)
    assert "second-order-wrong" in {finding.cause for finding in report.findings}


def test_where_every_gradient_is_wrong_what_follows_from_them_is_left_out_and_said() -> None:
    @gradients_of(product)
    def Wrong(g, x, y):
        return 2 * to_x(g, y), 2 * to_y(g, x, y)

    report = report_on(Wrong, order=2)
    assert {finding.cause for finding in report.findings} == {"constant-factor"}
    (note,) = (note for note in report.notes if note.startswith("left out of"))
    for name in ("variations of the inputs", "low precision", "second order", "forward mode"):
        assert name in note
        assert name not in passed(report)
    assert {"mutation", "linearity", "layout of inputs"} <= passed(report)


def test_beside_a_gradient_that_is_never_the_same_nothing_that_compares_is_tried() -> None:
    @gradients_of(product)
    def Noisy(g, x, y):
        return to_x(g, y) * torch.rand_like(g), to_y(g, x, y)

    report = report_on(Noisy)
    assert "nondeterministic" in {finding.cause for finding in report.findings}
    (note,) = (note for note in report.notes if note.startswith("meaningless beside"))
    assert note.startswith("meaningless beside nondeterministic, and not tried: retained graph,")
    assert "linearity" in note
    assert not {"linearity", "layout of inputs", "variations of the inputs"} & passed(report)


def test_what_is_expected_ends_what_is_meaningless_beside_it_too() -> None:
    @gradients_of(product)
    def Noisy(g, x, y):
        return to_x(g, y) * (1 + 1e-9 * torch.rand_like(g)), to_y(g, x, y)

    meant = {"nondeterministic": "rounds at random", "precision-loss": "and so has fewer digits"}
    report = report_on(Noisy, expect=meant)
    assert report.verdict == "right", str(report)
    assert any(note.startswith("meaningless beside nondeterministic") for note in report.notes)
