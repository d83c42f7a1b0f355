"""Kinds of arguments of which a program alone shows what they are for: none is accused."""

from typing import Any

import pytest
import torch
from torch.autograd import Function

import torchref
from tests.auditor import kinds as K
from tests.auditor.functions_of_kinds import exponential, rotated

every_kind = pytest.mark.parametrize("name", K.KINDS)


def row_of(function: type[Function], kind: K.Kind, **options: Any) -> Any:
    torch.manual_seed(0)
    with torchref.audit() as audit:
        kind.call(function).backward()
    (row,) = audit.report(**options).rows
    return row


@every_kind
def test_what_is_right_for_its_program_is_not_accused(name: str) -> None:
    kind = K.KINDS[name]
    row = row_of(kind.make(1.0), kind)
    assert row.verdict == kind.verdict, row
    assert kind.says in row.note
    assert row.cause is None


@every_kind
def test_a_mistake_beside_it_is_found(name: str) -> None:
    kind = K.KINDS[name]
    row = row_of(kind.make(2.0), kind)
    assert row.verdict == "wrong", row
    assert row.cause is not None


def turned(function: type[Function]) -> torch.Tensor:
    q = torch.nn.functional.normalize(torch.randn(5, 4), dim=-1).requires_grad_()
    return (
        function.apply(q, K.drawn(5, 3)).square().sum() * 2 + function.apply(q, K.drawn(5, 3)).sum()
    )


@pytest.mark.parametrize(
    ("made", "call", "says"),
    [
        (exponential, lambda f: f.apply(K.drawn(5, 3)).sin().sum(), "never reads the last"),
        (rotated, turned, "the last of the gradient of q is always 0"),
    ],
    ids=("exponential", "rotated"),
)
def test_a_gradient_in_a_tangent_space_is_hinted_at(made: Any, call: Any, says: str) -> None:
    row = row_of(made(1.0), K.Kind(made, call))
    assert row.verdict == "wrong"
    assert row.note.startswith("does not match its forward: ")
    assert says in row.note


def test_a_mistake_beside_a_tangent_space_is_not_taken_for_one() -> None:
    row = row_of(rotated(2.0), K.Kind(rotated, turned))
    assert row.verdict == "wrong"
    assert row.note == ""


def test_what_nothing_can_copy_may_hold_the_weights() -> None:
    def call(function: type[Function]) -> torch.Tensor:
        network = K.NotCopied()
        return function.apply(K.drawn(8, 4), network, *network.parameters()).square().sum()

    row = row_of(K.through_objects(1.0), K.Kind(K.through_objects, call))
    assert row.verdict == "cannot tell", row


def test_a_sparse_argument_that_is_learnt_is_named() -> None:
    class Values(Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_backward(x, y)
            return x @ y

        @staticmethod
        def backward(ctx, grad_y):
            x, y = ctx.saved_tensors
            return (grad_y @ y.mT).sparse_mask(x), x.mT @ grad_y

    x = torch.eye(3).to_sparse().requires_grad_()
    with torchref.audit() as audit:
        Values.apply(x, K.drawn(3, 2)).square().sum().backward()
    (row,) = audit.report().rows
    assert row.verdict == "cannot tell", row
    assert "x, which is sparse, was not checked" in row.note
