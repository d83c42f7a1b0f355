"""Variations at which one rounding decides what the answer is are no evidence against anyone."""

import inspect

import pytest
import torch
from torch import Tensor

from tests.checker.given import assert_right, assert_wrong, normal, of_x, run_of, seeded
from tests.checker.given.linear_algebra import BY_HAND, ByHand
from tests.corpora.wrong_ops.rule import gradients_of
from torchref.checker.inputs.well_posed import is_well_posed

SEEDS = range(5)
MISTAKES = [(op, slip) for op in BY_HAND for slip in op.slips]


@pytest.mark.parametrize("beside", [True, False], ids=["beside", "alone"])
@pytest.mark.parametrize("op", BY_HAND, ids=lambda op: op.name)
@pytest.mark.parametrize("seed", SEEDS)
def test_right_linear_algebra_is_right(op: ByHand, beside: bool, seed: int) -> None:
    reference = op.reference if beside else None
    assert_right(op.rule(), reference, op.inputs(seeded(seed)), seed=seed)


OF_SEVERAL = [op for op in BY_HAND if len(op.inputs(seeded(0))) > 1]


@pytest.mark.parametrize("op", OF_SEVERAL, ids=lambda op: op.name)
@pytest.mark.parametrize("seed", SEEDS)
def test_it_is_right_where_the_last_argument_alone_is_asked_for(op: ByHand, seed: int) -> None:
    """The matrix decides what is well posed, also where it is not differentiated."""
    inputs = op.inputs(seeded(seed))
    wrt = list(inspect.signature(op.forward).parameters)[-1:]
    for reference in (op.reference, None):
        assert_right(op.rule(), reference, inputs, wrt=wrt, seed=seed)


@pytest.mark.parametrize(("op", "slip"), MISTAKES, ids=lambda part: getattr(part, "name", part))
@pytest.mark.parametrize("seed", SEEDS)
def test_a_mistake_in_it_is_found(op: ByHand, slip: str, seed: int) -> None:
    inputs = op.inputs(seeded(seed))
    assert_wrong(op.rule(slip), op.reference, inputs, seed=seed)
    assert_wrong(op.rule(slip), inputs=inputs, seed=seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_mistake_that_only_variations_show_is_found_there(seed: int) -> None:
    """At a symmetric matrix Aᵀ is A; at the variations that have an answer it is not."""
    (solution,) = (op for op in BY_HAND if op.name == "solution")
    a, b = solution.inputs(seeded(seed))
    report = assert_wrong(solution.rule("transposed"), solution.reference, (a + a.mT, b), seed=seed)
    assert report.findings[0].at != "as given"


def test_what_is_left_out_is_noted() -> None:
    """Of equal entries what stands below is noise, and so is 1 over it."""

    @gradients_of(lambda x: 1 / (x.sum() - 10 * x[0]))
    def Reciprocal(grad_y, x):
        slope = torch.tensor([-9.0] + [1.0] * 9, dtype=x.dtype)
        return -grad_y * slope * Reciprocal.forward(x) ** 2

    def reference(x: Tensor) -> Tensor:
        return 1 / ((0.3 * x).sum() / 0.3 - 10 * x[0])

    notes: list[str] = []
    for seed in range(10):  # at some the noise is the same on both sides
        x = torch.randn(10, generator=seeded(seed), dtype=torch.float64) + 0.1
        report = assert_right(Reciprocal, reference, (x,), seed=seed, vary=("values",))
        notes += (note for note in report.notes if "no evidence" in note)
    assert notes
    assert all("one rounding of the inputs decides" in note for note in notes)


@pytest.mark.parametrize(
    ("function", "x", "well_posed"),
    [
        (torch.linalg.inv, torch.eye(3) + 0.1, True),
        (lambda x: 1 / (x.sum() - 0.3), torch.tensor([0.1, 0.2], dtype=torch.float64), False),
        (lambda x: x.amax(-1), torch.ones(3, 4), True),  # a tie is a kink
        (lambda x: x.floor() + x, torch.ones(3), True),  # a jump is a jump
        (lambda x: x - x.mean(), torch.ones(3), True),  # what cancels is 0 up to rounding
        (lambda x: (x - x.mean()) / x.std(), torch.full((3, 4), 0.1), False),
        (lambda x: (x - x.mean()) / (x.std() + 1e-3), torch.full((3, 4), 0.1), True),
    ],
)
def test_only_where_rounding_decides_the_answer_is_it_no_evidence(function, x, well_posed) -> None:
    assert is_well_posed(run_of(function, None, x.double()), [torch.ones(())]) is well_posed


@pytest.mark.parametrize(
    ("dtype", "reference", "expected"),
    [
        (torch.float32, None, False),
        (torch.float32, torch.clone, True),
        (torch.float64, None, True),  # there it is the candidate's mistake
    ],
)
def test_a_gradient_without_digits_is_no_evidence_in_float32_alone(
    dtype: torch.dtype, reference: object, expected: bool
) -> None:
    """One ulp of x turns the sine's argument by many times 2π."""
    turns = 1e6 / torch.finfo(dtype).eps

    def noisy(grad_y: Tensor, x: Tensor) -> Tensor:
        return grad_y * (1 + (turns * x).sin())

    run = run_of(of_x(torch.clone, noisy), reference, normal(5, 4).to(dtype))
    assert is_well_posed(run, run.outputs) is expected
