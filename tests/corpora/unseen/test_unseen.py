"""What the checker says of bugs and of right functions that were written without knowledge of it.

The sets below are strict: what is seen, named or acquitted by now must leave them.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import Function

from tests.random_inputs import Inputs, seeded
from tests.slow import few_of
from torchref import Report, crosscheck
from torchref.checker.causes.table import CAUSES

from . import BUGS, BY_HAND, RIGHT, ByHand, UnseenBug

NOT_SEEN_FROM_ORDINARY_INPUTS = {
    "leaky relu: negative slope",
    "scatter add: shorter index",
    "sparse times dense: flag forgotten",
}
NOT_NAMED_YET = {
    "convolution: columns without stride",
    "equilibrium: Jacobian not transposed",
    "euler: later state",
    "hard swish: no half",
    "layer norm: place of epsilon",
    "learnt step: step without its rest",
    "permute tokens: not inverted",
    "pixel shuffle: reshaped alone",
    "quaternion product: other order",
    "roll: same way",
    "rotary embedding: no offset",
    "rotary embedding: same sign",
    "running sine: of the sum",
    "scatter product: zero factor",
    "sparse times dense: flag forgotten",
}

LEFT_TO_AUTOGRAD = "the gradient of what was broadcast is left to autograd, which sums it"
NEGATIVE_INDEX = "a negative index counts from the end in backward, and nowhere in forward"
NO_FIXED_POINT = "200 steps reach no fixed point where the weight is large"
STRAIGHT_THROUGH = "without a reference a gradient through steps is a choice"

ACCUSED_WITH_REASON = {
    "equilibrium": NO_FIXED_POINT,
    "focal": "1 − p cancels where p is nearly 1",
    "gelu with bias": LEFT_TO_AUTOGRAD,
    "learnt step": "0/0 at a step of 0, where the reference gives 0",
    "scatter product": NEGATIVE_INDEX,
    "softplus": "torch's own leaves log(1 + exp(−x)) out beyond 20",
    "sum left unreduced": LEFT_TO_AUTOGRAD,
}
ACCUSED_ALONE_WITH_REASON = {
    "binary cross entropy with weights": "one column is broadcast against three weights: the mean "
    "is over more entries than x has",
    "equilibrium": NO_FIXED_POINT,
    "fake quantisation": STRAIGHT_THROUGH,
    "gelu with bias": LEFT_TO_AUTOGRAD,
    "learnt step": STRAIGHT_THROUGH,
    "rounding straight through": STRAIGHT_THROUGH,
    "radial kernel": "0/0 at a length of 0",
    "scatter product": NEGATIVE_INDEX,
    "sum left unreduced": LEFT_TO_AUTOGRAD,
}

every_bug = pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
every_right_function = pytest.mark.parametrize("op", RIGHT, ids=lambda op: op.name)


def report_on(candidate: Any, reference: Callable[..., Any] | None, inputs: Inputs) -> Report:
    torch.manual_seed(0)  # some candidates draw from the default generator
    return crosscheck(candidate, reference, inputs(seeded(0)), seed=0, order=2)


def gradients(candidate: Any, inputs: tuple[Any, ...]) -> list[Tensor]:
    """By torch alone, for one random cotangent."""
    is_function = isinstance(candidate, type) and issubclass(candidate, Function)
    returned = (candidate.apply if is_function else candidate)(*inputs)
    outputs = returned if isinstance(returned, tuple) else (returned,)
    outputs = [y for y in outputs if y.requires_grad]
    generator = seeded(99)
    cotangents = [torch.randn(y.shape, generator=generator, dtype=y.dtype) for y in outputs]
    leaves = [x for x in inputs if isinstance(x, Tensor) and x.requires_grad]
    return list(torch.autograd.grad(outputs, leaves, cotangents))


def test_there_are_as_many_as_at_the_first_look() -> None:
    assert len(BUGS) == 151
    assert len(RIGHT) == 138
    assert len({bug.name for bug in BUGS}) == len(BUGS)
    assert len({op.name for op in BY_HAND}) == len(BY_HAND)


def test_the_sets_name_what_there_is() -> None:
    bugs, right = {bug.name for bug in BUGS}, {op.name for op in RIGHT}
    with_ordinary_inputs = {bug.name for bug in BUGS if bug.slip.ordinary}
    assert with_ordinary_inputs >= NOT_SEEN_FROM_ORDINARY_INPUTS
    assert bugs >= NOT_NAMED_YET
    assert right >= {*ACCUSED_WITH_REASON, *ACCUSED_ALONE_WITH_REASON}


def test_their_causes_are_among_those_that_there_are() -> None:
    for bug in BUGS:
        assert bug.causes, bug.name
        assert set(bug.causes) <= set(CAUSES), bug.name


@every_bug
def test_a_bug_is_caught_at_its_tripping_input_and_named(bug: UnseenBug) -> None:
    report = report_on(bug.wrong, bug.reference, bug.tripping)
    assert report.verdict == "wrong", str(report)
    named = report.findings[0].cause in bug.causes
    assert named or bug.name in NOT_NAMED_YET, f"should be one of {bug.causes}\n{report}"
    assert not (named and bug.name in NOT_NAMED_YET), "named by now: it may leave NOT_NAMED_YET"


@pytest.mark.parametrize(
    "bug", [bug for bug in BUGS if bug.slip.ordinary], ids=lambda bug: bug.name
)
def test_a_bug_is_caught_from_ordinary_inputs(bug: UnseenBug) -> None:
    report = report_on(bug.wrong, bug.reference, bug.ordinary)
    seen = report.verdict == "wrong"
    assert seen is (bug.name not in NOT_SEEN_FROM_ORDINARY_INPUTS), str(report)


@every_right_function
def test_a_right_function_has_the_gradients_of_its_reference(op: ByHand) -> None:
    for seed in range(3):
        inputs = op.inputs(seeded(seed))
        expected = gradients(op.reference, inputs)
        for mine, its in zip(gradients(op.written(), inputs), expected, strict=True):
            rounding = 1e-9 if mine.dtype in (torch.float64, torch.complex128) else 1e-6
            most = rounding * float(its.abs().max())
            assert torch.allclose(mine, its, rtol=0, atol=most), seed


@pytest.mark.slow
@every_right_function
def test_a_right_function_is_right_with_its_reference(op: ByHand) -> None:
    report = report_on(op.written(), op.reference, op.inputs)
    accused = report.verdict != "right"
    assert accused is (op.name in ACCUSED_WITH_REASON), str(report)


@pytest.mark.parametrize("op", few_of(RIGHT, name=lambda op: op.name))
def test_a_right_function_is_right_without_a_reference(op: ByHand) -> None:
    report = report_on(op.written(), None, op.inputs)
    accused = report.verdict != "right"
    assert accused is (op.name in ACCUSED_ALONE_WITH_REASON), str(report)
