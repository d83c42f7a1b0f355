"""The claims on an op: right ones hold, and each has a wrong op that it alone, or first, sees."""

from typing import Any
from unittest import SkipTest

import pytest
import torch
from torch import Generator, Tensor

from torchref import InputError
from torchref.catalogue import CATALOGUE
from torchref.ops import Sigmoid
from torchref.testing import Claim, OpCase, claims_of, normal

RIGHT = [CATALOGUE[name] for name in ("Sigmoid", "SoftmaxCrossEntropy")]


def samples(g: Generator) -> tuple[tuple[Tensor], ...]:
    return ((normal(g, 4, 3),), (normal(g, 5),))


def claim(name: str, op: Any, **more: Any) -> Claim:
    """One claim of an op that is meant to be a sigmoid."""
    return named(name, OpCase(op, torch.sigmoid, samples, **more))


def named(name: str, case: OpCase) -> Claim:
    (found,) = (each for each in claims_of([case]) if each.name == name)
    return found


@pytest.mark.parametrize("claim", claims_of(RIGHT), ids=str)
def test_an_op_of_the_catalogue_holds_them_all(claim: Claim) -> None:
    claim.check()


class Doubled(Sigmoid):
    @staticmethod
    def backward(ctx, grad_y):
        return 2 * Sigmoid.backward(ctx, grad_y)


class OneOrder(torch.autograd.Function):
    """Neither a second order, nor forward mode, nor vmap: each is refused by an error."""

    @staticmethod
    def forward(ctx, x):
        y = torch.sigmoid(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        return grad_y * y * (1 - y)


class Careless(Sigmoid):
    @staticmethod
    def forward(x):
        return (x.bfloat16().sigmoid() if x.dtype == torch.float32 else x.sigmoid()).to(x.dtype)


class BreaksTheGraph(OneOrder):
    @staticmethod
    def forward(ctx, x):
        torch._dynamo.graph_break()
        return OneOrder.forward(ctx, x)


class OtherWhenCompiled(OneOrder):
    @staticmethod
    def forward(ctx, x):
        y = torch.sigmoid(x)
        ctx.save_for_backward(y)
        return y + 1 if torch.compiler.is_compiling() else y


class WrongUnderAutocast(OneOrder):
    @staticmethod
    def forward(ctx, x):
        y = torch.sigmoid(x)
        ctx.save_for_backward(y)
        return y * 1.5 if torch.is_autocast_enabled("cpu") else y


class DrawsAndForgets(OneOrder):
    @staticmethod
    def forward(ctx, x):
        torch.rand(3)
        return OneOrder.forward(ctx, x)


class SeedsInBackward(OneOrder):
    @staticmethod
    def backward(ctx, grad_y):
        torch.manual_seed(0)
        return OneOrder.backward(ctx, grad_y)


@pytest.mark.parametrize(
    ("name", "op", "why"),
    [
        ("gradient", Doubled, "constant-factor"),
        ("second order", OneOrder, "once_differentiable"),
        ("forward mode", OneOrder, "not tried"),
        ("vmap", OneOrder, "not tried: not offered"),
        ("compile", BreaksTheGraph, "Unsupported"),
        ("compile", OtherWhenCompiled, "not close"),
        ("autocast", WrongUnderAutocast, "errs by"),
        ("random state", DrawsAndForgets, "moved the state"),
        ("random state", SeedsInBackward, "moved the state"),
    ],
)
def test_what_does_not_hold_is_seen(name: str, op: Any, why: str) -> None:
    with pytest.raises(AssertionError, match=why) as raised:
        claim(name, op, order=2).check()
    assert str(raised.value).startswith(f"{op.__name__}, {name}: ")


def test_dtypes_that_meet_under_autocast_are_seen() -> None:
    """The product has 16 bits there: torchref.functional casts before it applies the op."""
    with pytest.raises(AssertionError, match=r"Affine, autocast: RuntimeError: .*same dtype"):
        named("autocast", CATALOGUE["Affine"]).check()


def test_low_precision_is_held_to_the_twins() -> None:
    with pytest.raises(AssertionError, match="precision"):
        claim("low precision", Careless).check()


@pytest.mark.parametrize("name", ["forward mode", "vmap"])
def test_a_refused_claim_that_fails_is_skipped_with_its_reason(name: str) -> None:
    with pytest.raises(SkipTest, match=f"{name} is refused: it is not needed"):
        claim(name, OneOrder, refuses={name: "it is not needed"}).check()


def test_a_refused_claim_that_holds_is_told() -> None:
    with pytest.raises(AssertionError, match=r"refused \(too hard\), and holds"):
        claim("vmap", Sigmoid, refuses={"vmap": "too hard"}).check()


def test_the_seeds_of_inputs_and_options_arrive() -> None:
    (first, *_), (other, *_) = (
        claims_of([OpCase(Sigmoid, torch.sigmoid, samples, options={"vary": False})], seed=seed)
        for seed in (1, 2)
    )
    assert not torch.equal(first.op.samples[0][0], other.op.samples[0][0])
    assert first.op.report.seed == 1
    checks = {check.name: check.note for check in first.op.report.checks}
    assert "vary" in checks["layout of inputs"]


@pytest.mark.parametrize(
    "refuses", [{"vmapp": "no"}, {"gradient": "no"}, {"vmap": ""}, {"registration": "no"}]
)
def test_bad_refusals(refuses: dict[str, str]) -> None:
    with pytest.raises(InputError, match="refuses= must give reasons for claims of second order"):
        claims_of([OpCase(Sigmoid, torch.sigmoid, samples, order=2, refuses=refuses)])


def test_no_cases_and_no_samples() -> None:
    with pytest.raises(InputError, match="at least one case"):
        claims_of([])
    with pytest.raises(InputError, match="samples= must draw inputs"):
        claims_of([OpCase(Sigmoid, torch.sigmoid, lambda _: ())])[0].check()
