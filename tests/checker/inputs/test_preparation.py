"""A candidate is checked in the precision that it has, whatever dtype it returns."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch.autograd import Function

from tests.checker.given import assert_right, causes, normal, of_x, seeded
from tests.corpora.right_functions import RIGHT, RightFunction
from tests.corpora.wrong_ops.rule import gradients_of
from torchref import crosscheck
from torchref.checker.execution.case import build_case
from torchref.checker.execution.subject import as_subject
from torchref.checker.inputs.preparation import in_its_precision
from torchref.checker.report.ledger import Ledger


def mixed(factor: float = 1.0) -> type[Function]:
    """A gate in float32 times what is in the dtype of the inputs, as kernels mix them."""

    class Mixed(Function):
        @staticmethod
        def forward(ctx, a, b):
            ctx.save_for_backward(a, b)
            return F.silu(a.float()) * b

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, grad_y):
            a, b = ctx.saved_tensors
            single = a.float()
            s = torch.sigmoid(single)
            grad_a = grad_y.float() * b.float() * s * (1 + single * (1 - s))
            return factor * grad_a.to(a.dtype), (grad_y * F.silu(single)).to(b.dtype)

    return Mixed


def reference(a, b):
    return F.silu(a) * b


@pytest.mark.parametrize("seed", range(5))
def test_a_forward_that_is_float32_in_between(seed: int) -> None:
    inputs = normal(4, 6, seed=seed).float(), normal(4, 6, seed=seed + 9).float()
    report = assert_right(mixed(), reference, inputs, seed=seed)
    assert "checked in float32: its float64 outputs move by the steps of float32" in report.notes
    wrong = crosscheck(mixed(1.0001), reference, inputs, seed=seed)
    assert wrong.findings[0].argument == "a"


def test_a_loss_that_is_float32_of_whatever_arrives() -> None:
    @gradients_of(lambda x: x.float().square().sum())
    def Loss(grad_y, x):
        gradient = (grad_y * 2 * x.float()).to(x.dtype)
        gradient[1, 2] *= 1.01
        return gradient

    def squares(x):
        return x.square().sum()

    report = crosscheck(Loss, squares, (normal(4, 3).float(),))
    assert "checked in float32: of float64 inputs it makes float32 numbers" in report.notes
    assert report.findings[0].element == (1, 2)


@pytest.mark.parametrize(
    ("dtype", "given", "found"),
    [
        (torch.float32, torch.float32, []),
        (torch.float32, torch.float64, ["precision-loss"]),
        (torch.bfloat16, torch.float64, ["precision-loss"]),
        (torch.bfloat16, torch.float32, ["precision-loss"]),
    ],
)
def test_a_cast_is_a_loss_where_the_inputs_have_more_digits(dtype, given, found) -> None:
    cast = of_x(torch.sin, lambda g, x: (g.to(dtype) * x.to(dtype).cos()).to(x.dtype))
    report = crosscheck(cast, torch.sin, (normal(4, 3).to(given),))
    assert report.verdict == ("wrong" if found else "right"), str(report)
    assert causes(report) == found


@pytest.mark.parametrize("function", RIGHT, ids=lambda function: function.name)
def test_functions_of_float64_are_checked_in_it(function: RightFunction) -> None:
    subject, ledger = as_subject(function.function), Ledger()
    case = build_case(subject, function.inputs(seeded(0)), function.kwargs, None)
    in_its_precision(subject, [case], None, ledger)
    assert not ledger.notes, list(ledger.notes)
