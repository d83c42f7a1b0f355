"""One run tells all that is wrong: a finding ends the checks that mean nothing beside it alone."""

import torch
from torch import Tensor
from torch.autograd import Function

from tests.checker.given.runs import normal
from tests.corpora.wrong_ops.rule import gradients_of
from torchref import Report, crosscheck


def product(x: Tensor, y: Tensor) -> Tensor:
    return x * torch.sin(y)


@gradients_of(product)
def Product(grad_z, x, y):
    """Right, until one of the gradients is replaced."""
    return grad_z * torch.sin(y), grad_z * x * torch.cos(y)


def with_gradients(backward) -> type[Function]:
    return type("Product", (Product,), {"backward": staticmethod(backward)})


def report_on(candidate: type[Function], **options) -> Report:
    return crosscheck(candidate, product, (normal(4, 3), normal(4, 3, seed=1)), **options)


def found(report: Report) -> set[tuple[str, str | None]]:
    return {(finding.cause, finding.argument) for finding in report.findings}


def passed(report: Report) -> set[str]:
    return {check.name for check in report.checks if check.status == "passed"}


def test_a_right_function_has_no_finding() -> None:
    assert report_on(Product, order=2).verdict == "right"


def test_a_wrong_value_and_another_that_depends_on_the_layout() -> None:
    def backward(ctx, grad_z):
        x, y = ctx.saved_tensors
        slip = 1.0 if grad_z.is_contiguous() else 1.1
        return 2 * grad_z * torch.sin(y), slip * grad_z * x * torch.cos(y)

    report = report_on(with_gradients(backward))
    assert {("constant-factor", "x"), ("layout-dependent", "y")} <= found(report)


def test_a_wrong_value_and_another_that_is_wrong_elsewhere() -> None:
    def backward(ctx, grad_z):
        x, y = ctx.saved_tensors
        return 2 * grad_z * torch.sin(y), grad_z * x * torch.cos(y) * (y != 0)

    report = report_on(with_gradients(backward))
    assert ("constant-factor", "x") in found(report)
    assert any(finding.argument == "y" and "zero" in finding.at for finding in report.findings)
    assert any("left out of variations" in note and " x," in note for note in report.notes)


def test_a_wrong_value_and_a_memory_that_is_written() -> None:
    def backward(ctx, grad_z):
        x, y = ctx.saved_tensors
        to_y = grad_z * x * torch.cos(y)
        return 3 * grad_z.mul_(torch.sin(y)), to_y

    assert {("mutates-grad-output", None), ("constant-factor", "x")} <= found(
        report_on(with_gradients(backward))
    )


def test_a_wrong_value_and_another_that_depends_on_what_requires_grad() -> None:
    def backward(ctx, grad_z):
        x, y = ctx.saved_tensors
        to_y = grad_z * x * torch.cos(y) * (1 if ctx.needs_input_grad[0] else 2)
        return -grad_z * torch.sin(y), to_y

    assert {("sign-flipped", "x"), ("depends-on-requires-grad", "y")} <= found(
        report_on(with_gradients(backward))
    )


def test_a_wrong_value_and_a_second_order_that_is_wrong_for_another() -> None:
    def backward(ctx, grad_z):
        x, y = ctx.saved_tensors
        return 2 * grad_z * torch.sin(y), (grad_z * x * torch.cos(y)).detach()

    report = report_on(with_gradients(backward), order=2)
    assert ("constant-factor", "x") in found(report)
    assert "second-order-wrong" in {finding.cause for finding in report.findings}


def test_where_every_gradient_is_wrong_what_follows_from_them_is_left_out_and_said() -> None:
    def backward(ctx, grad_z):
        x, y = ctx.saved_tensors
        return 2 * grad_z * torch.sin(y), 2 * grad_z * x * torch.cos(y)

    report = report_on(with_gradients(backward), order=2)
    assert {finding.cause for finding in report.findings} == {"constant-factor"}
    (note,) = (note for note in report.notes if note.startswith("left out of"))
    for name in ("variations of the inputs", "low precision", "second order", "forward mode"):
        assert name in note
        assert name not in passed(report)
    assert {"mutation", "linearity", "layout of inputs"} <= passed(report)


def test_beside_a_gradient_that_is_never_the_same_nothing_that_compares_is_tried() -> None:
    def backward(ctx, grad_z):
        x, y = ctx.saved_tensors
        noise = torch.rand_like(grad_z)
        return grad_z * torch.sin(y) * noise, grad_z * x * torch.cos(y)

    report = report_on(with_gradients(backward))
    assert "nondeterministic" in {finding.cause for finding in report.findings}
    (note,) = (note for note in report.notes if note.startswith("meaningless beside"))
    assert note.startswith("meaningless beside nondeterministic, and not tried: retained graph,")
    assert "linearity" in note
    assert not {"linearity", "layout of inputs", "variations of the inputs"} & passed(report)


def test_what_is_expected_ends_what_is_meaningless_beside_it_too() -> None:
    def backward(ctx, grad_z):
        x, y = ctx.saved_tensors
        noise = 1 + 1e-9 * torch.rand_like(grad_z)
        return grad_z * torch.sin(y) * noise, grad_z * x * torch.cos(y)

    meant = {"nondeterministic": "rounds at random", "precision-loss": "and so has fewer digits"}
    report = report_on(with_gradients(backward), expect=meant)
    assert report.verdict == "right", str(report)
    assert any(note.startswith("meaningless beside nondeterministic") for note in report.notes)
