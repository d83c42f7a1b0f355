"""The collapsed backwards of softmax and cross-entropy against their many steps."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.ops.catalogue_cases import (
    SAMPLES,
    TRIPPING,
    Case,
    gradients,
    normal_like,
    planted,
    tensors,
)
from tests.ops.closeness import assert_close_in_float64
from tests.ops.test_softmax import SumForgotten, TargetsSumToOne
from tests.random_inputs import seeded
from torchref.catalogue import CATALOGUE
from torchref.catalogue.entry import normal
from torchref.ops import (
    Softmax,
    SoftmaxCrossEntropy,
    Sparsemax,
    cross_entropy_steps,
    softmax_steps,
    sparsemax_steps,
)

STEPS: dict[type, Callable[..., Any]] = {
    Softmax: softmax_steps,
    Sparsemax: sparsemax_steps,
    SoftmaxCrossEntropy: cross_entropy_steps,
}
WITH_STEPS = [
    case
    for case in SAMPLES + TRIPPING
    if case.entry.op in STEPS and all(x.numel() for x in tensors(case.inputs()))
]


def assert_steps_give_what_the_collapsed_form_gives(case: Case) -> None:
    inputs = case.inputs()
    y, collapsed = gradients(case.entry.op.call, inputs)
    gone_through = STEPS[CATALOGUE[case.entry.name].op](*inputs, normal_like(y, seed=1))
    assert_close_in_float64(gone_through.y, y)
    stepwise = gone_through.grad_x, getattr(gone_through, "grad_target", None)
    for mine, its in zip(collapsed, stepwise, strict=False):
        torch.testing.assert_close(mine, its, rtol=0, atol=1e-14)
    if case.entry.name != "Sparsemax":
        assert gone_through.grad_largest.abs().max() < 1e-14  # what is subtracted cancels


@pytest.mark.parametrize("case", WITH_STEPS, ids=str)
def test_the_collapsed_backward_is_the_one_of_many_steps(case: Case) -> None:
    assert_steps_give_what_the_collapsed_form_gives(case)


WITHOUT_SORTING = [
    case for case in WITH_STEPS if case.kind == "samples" and case.entry.op is not Sparsemax
]


@pytest.mark.parametrize("case", WITHOUT_SORTING, ids=str)
def test_each_step_is_what_autograd_finds_there(case: Case) -> None:
    """Each intermediate is moved by itself, and the rest of the forward run from there."""
    inputs = case.inputs()
    x, other = inputs
    cotangent = normal_like(case.entry.op.call(*inputs), seed=1)
    now = STEPS[case.entry.op](*inputs, cotangent)._asdict()
    dim = other if case.entry.op is Softmax else -1

    def of_quotient(raised: Tensor, total: Tensor) -> Tensor:
        return (raised / total * cotangent).sum()

    def of_logarithms(log_p: Tensor) -> Tensor:
        return (-(other * log_p).sum(-1) * cotangent).sum()

    def total_of(below: Tensor) -> Tensor:
        return below.exp().sum(dim, keepdim=True)

    if case.entry.op is Softmax:

        def of_below(below: Tensor) -> Tensor:
            return of_quotient(below.exp(), total_of(below))

        rest = {
            "total": lambda total: of_quotient(now["raised"], total),
            "raised": lambda raised: of_quotient(raised, raised.sum(dim, keepdim=True)),
        }
    else:

        def of_below(below: Tensor) -> Tensor:
            return of_logarithms(below - total_of(below).log())

        rest = {
            "log_p": of_logarithms,
            "log_total": lambda log_total: of_logarithms(now["below"] - log_total),
            "total": lambda total: of_logarithms(now["below"] - total.log()),
            "raised": lambda raised: of_logarithms(
                now["below"] - raised.sum(dim, keepdim=True).log()
            ),
            "target": lambda target: (-(target * now["log_p"]).sum(-1) * cotangent).sum(),
        }
        now["target"] = other
    rest |= {"below": of_below, "largest": lambda largest: of_below(x - largest)}
    rest |= {"x": lambda x: of_below(x - x.amax(dim, keepdim=True))}
    now["x"] = x
    assert {f"grad_{name}" for name in rest} == {name for name in now if name.startswith("grad_")}
    for name, of_it in rest.items():
        expected = torch.func.grad(of_it)(now[name])
        torch.testing.assert_close(now[f"grad_{name}"], expected, rtol=1e-12, atol=1e-13)


def test_each_step_of_a_sparsemax_is_what_autograd_finds_there() -> None:
    x, cotangent = normal(seeded(0), 5, 4), normal(seeded(1), 5, 4)
    now = sparsemax_steps(x, -1, cotangent)

    def of_tau(tau: Tensor, x: Tensor = x) -> Tensor:
        return (torch.where(now.is_inside, x - tau, 0) * cotangent).sum()

    def of_total(total: Tensor, x: Tensor = x) -> Tensor:
        return of_tau((total - 1) / now.entries, x)

    def of_x(x: Tensor) -> Tensor:
        return of_total(torch.where(now.is_inside, x, 0).sum(-1, keepdim=True), x)

    for mine, of_it, at in (
        (now.grad_tau, of_tau, now.tau),
        (now.grad_total, of_total, now.total),
        (now.grad_x, of_x, x),
    ):
        torch.testing.assert_close(mine, torch.func.grad(of_it)(at), rtol=1e-13, atol=1e-14)
    assert torch.equal(now.grad_inside, cotangent * now.is_inside)


@pytest.mark.parametrize("op", [SumForgotten, TargetsSumToOne])
def test_a_term_that_the_collapsed_form_has_lost_is_seen(op: type) -> None:
    case = planted(op)
    named = Case(CATALOGUE[op.__base__.__name__], case.kind, case.number)
    assert_steps_give_what_the_collapsed_form_gives(named)
    inputs = case.inputs()
    y, (grad_x, *_) = gradients(op.call, inputs)
    steps = STEPS[op.__base__](*inputs, normal_like(y, seed=1))
    assert not torch.allclose(grad_x, steps.grad_x)
