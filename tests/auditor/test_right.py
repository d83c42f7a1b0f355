"""Right Functions in a training: none is accused, and the training is the same with the audit."""

import random
import threading
from typing import Any

import numpy as np
import pytest
import torch

import torchref
from tests.auditor import right_ones as R
from tests.auditor.planted import train

# How a layer of eight rows and four columns applies each.
LAYERS = {
    "Swish": lambda h, matrix, row: R.kept(h),
    "Power": lambda h, matrix, row: R.Power.apply(h, exponent=3.0),
    "Doubling": lambda h, matrix, row: R.Doubling.apply(h * 1),
    "OneAbsent": lambda h, matrix, row: R.OneAbsent.apply(h)[0],
    "Once": lambda h, matrix, row: R.Once.apply(h),
    "Masked": lambda h, matrix, row: R.Masked.apply(h, h > 0, "zero"),
    "Dropout": lambda h, matrix, row: R.Dropout.apply(h, 0.3),
    "TwoOutputs": lambda h, matrix, row: sum(R.TwoOutputs.apply(h, row.expand(8, 4))),
    "SumOf": lambda h, matrix, row: R.SumOf.apply(h, h.T.contiguous().T, h @ matrix),
    "ScaledBy": lambda h, matrix, row: R.ScaledBy.apply(h, [row.detach(), torch.ones(2)]),
    "Configured": lambda h, matrix, row: R.Configured.apply(h, R.Config()),
    "Outer": lambda h, matrix, row: R.Outer.apply(h),
    "Rotated": lambda h, matrix, row: R.Rotated.apply(h, R.ROTATION),
    "Scaled": lambda h, matrix, row: R.Scaled.apply(h, 3),
    "OfSinglePrecision": lambda h, matrix, row: R.OfSinglePrecision.apply(h),
    "audited::cube": lambda h, matrix, row: R.cube(h),
    "audited::weighted_sum": lambda h, matrix, row: R.weighted_sum(
        [h, h @ matrix], 3.0, offset=1.0
    ),
    "Sigmoid": lambda h, matrix, row: torchref.nn.Sigmoid()(h),
}
every_layer = pytest.mark.parametrize("name", LAYERS)


def rows(audit: torchref.Audit, **options: Any) -> dict[str, Any]:
    return {row.name: row for row in audit.report(**options).rows}


@every_layer
def test_it_is_right(name: str) -> None:
    with torchref.audit() as audit:
        train(LAYERS[name])
    row = rows(audit)[name]
    assert row.verdict == "right", row
    assert row.calls == 5
    assert row.cause is None


@every_layer
def test_a_training_is_the_same_bit_for_bit(name: str) -> None:
    alone, state = train(LAYERS[name]), torch.get_rng_state()
    with torchref.audit() as audit:
        watched = train(LAYERS[name])
    assert all(map(torch.equal, alone, watched))
    assert torch.equal(torch.get_rng_state(), state)
    assert audit.seen


def test_a_reference_is_used_by_name() -> None:
    with torchref.audit() as audit:
        train(LAYERS["Swish"])
    report = audit.report(references={"Swish": torch.nn.functional.silu})
    (row,) = report.rows
    assert row.verdict == "right"
    assert row.reports[0].reference == "silu"
    assert report.notes == ()
    wrong = audit.report(references={"Swish": torch.nn.functional.gelu})
    assert wrong.verdict == "wrong"
    assert wrong.rows[0].cause == "forward-wrong"


def test_a_nested_one_is_counted_and_not_checked() -> None:
    with torchref.audit() as audit:
        train(LAYERS["Outer"])
    inner = rows(audit)["Swish"]
    assert (inner.verdict, inner.calls) == ("not checked", 5)
    assert "its backward never ran" in inner.note


def test_threads_are_seen_and_counted() -> None:
    x = torch.randn(4, 3, requires_grad=True)

    def work() -> None:
        for _ in range(20):
            R.Swish.apply(x).sum().backward()

    threads = [threading.Thread(target=work) for _ in range(4)]
    with torchref.audit() as audit:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    row = rows(audit)["Swish"]
    assert (row.calls, row.verdict, row.shapes) == (80, "right", (((4, 3),),))


def test_strided_inputs_are_checked_with_their_strides() -> None:
    given = [
        torch.randn(3, 4, requires_grad=True).T,
        torch.randn(1, 3, requires_grad=True).expand(4, 3),
        torch.randn(8, 3, requires_grad=True)[::2],
    ]
    with torchref.audit() as audit:
        for x in given:
            R.Swish.apply(x).sum().backward()
    calls = audit.seen["Swish"].kept
    assert [call.args[0].stride() for call in calls] == [(1, 4), (0, 1), (6, 1)]
    assert all(torch.equal(call.args[0], x) for call, x in zip(calls, given, strict=True))
    assert rows(audit)["Swish"].verdict == "right"


def test_a_transform_is_seen_through_where_it_only_differentiates() -> None:
    x = torch.randn(3)
    with torchref.audit() as audit:
        torch.func.grad(lambda x: R.Power.apply(x, 3.0).sum())(x)
    assert rows(audit)["Power"].verdict == "right"
    with torchref.audit() as audit:
        torch.func.vmap(torch.func.grad(lambda x: torchref.ops.Sigmoid.apply(x)))(x)
    assert rows(audit)["Sigmoid"].verdict == "cannot tell"
    assert "vmap" in rows(audit)["Sigmoid"].note


def test_random_numbers_of_all_kinds_are_drawn_again() -> None:
    class Noise(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.factor = random.random() + float(np.random.rand()) + float(torch.rand(()))
            return x * ctx.factor

        @staticmethod
        def backward(ctx, grad_y):
            return grad_y * ctx.factor

    with torchref.audit() as audit:
        Noise.apply(torch.randn(4, 3, requires_grad=True)).sum().backward()
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    (row,) = audit.report().rows
    assert row.verdict == "right", row
    after = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    assert before == after


def test_cotangents_are_those_that_arrived() -> None:
    x = torch.randn(4, 3, requires_grad=True)
    weights = torch.randn(4, 3)
    with torchref.audit() as audit:
        (R.Swish.apply(x) * weights).sum().backward()
        product, _ = R.TwoOutputs.apply(x, x)
        product.sum().backward()
    assert torch.equal(audit.seen["Swish"].kept[0].cotangents[0], weights)
    names = [report.candidate for report in rows(audit)["Swish"].reports]
    assert names[-1] == "Swish with the program's grad_output"
    assert rows(audit)["TwoOutputs"].verdict == "right"
