"""The planted bugs are what they say: the control is right, the wrong op is wrong."""

from itertools import product

import pytest
import torch

from experiments.benchmark.checkers import called
from torchref.checker.causes.table import CAUSES

from . import PLANTED

every_bug = pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.name)


def draw(inputs, seed):
    return inputs(torch.Generator().manual_seed(seed))


def outputs_and_gradients(candidate, arguments, dtype=None):
    """Differentiable outputs, and gradients for one random cotangent; None counts as zero."""
    arguments = [
        value.detach().to(dtype).requires_grad_(value.requires_grad)
        if dtype and isinstance(value, torch.Tensor) and value.is_floating_point()
        else value
        for value in arguments
    ]
    returned = called(candidate)(*arguments)
    outputs = returned if isinstance(returned, tuple) else (returned,)
    outputs = [output for output in outputs if output.is_floating_point()]
    generator = torch.Generator().manual_seed(99)
    cotangents = [
        torch.randn(output.shape, generator=generator, dtype=torch.float64).to(output.dtype)
        for output in outputs
    ]
    leaves = [v for v in arguments if isinstance(v, torch.Tensor) and v.requires_grad]
    gradients = torch.autograd.grad(outputs, leaves, cotangents, allow_unused=True)
    zeros = [torch.zeros_like(value) for value in leaves]
    pairs = zip(gradients, zeros, strict=True)
    gradients = [zero if gradient is None else gradient for gradient, zero in pairs]
    return [value.detach().to(torch.float64) for value in (*outputs, *gradients)]


def largest_error(actual, expected):
    """Largest difference relative to the largest entry; infinite where NaN or another shape."""
    errors = [0.0]
    for one, other in zip(actual, expected, strict=True):
        if one.shape != other.shape or not one.isfinite().all():
            return float("inf")
        if one.numel():
            scale = other.abs().max().clamp(min=1e-30)
            errors.append(float((one - other).abs().max() / scale))
    return max(errors)


def lowest_precision(arguments):
    dtypes = [v.dtype for v in arguments if isinstance(v, torch.Tensor) and v.requires_grad]
    return max((torch.finfo(dtype).eps for dtype in dtypes), default=0.0)


def test_names_are_unique():
    assert len({bug.name for bug in PLANTED}) == len(PLANTED)


def test_causes_are_known():
    for bug in PLANTED:
        assert bug.causes, bug.name
        assert set(CAUSES) >= set(bug.causes), bug.name


@every_bug
def test_right_op_equals_its_reference(bug):
    for inputs, seed in product(("ordinary", "tripping"), range(3)):
        arguments = draw(getattr(bug, inputs), seed)
        right = outputs_and_gradients(bug.right, arguments)
        reference = outputs_and_gradients(bug.reference, arguments, dtype=torch.float64)
        assert all(value.isfinite().all() for value in reference), (inputs, seed)
        error = largest_error(right, reference)
        assert error <= max(1e-11, 4 * lowest_precision(arguments)), (inputs, seed)


@pytest.mark.parametrize(
    "bug", [bug for bug in PLANTED if not bug.behavioural], ids=lambda bug: bug.name
)
@pytest.mark.parametrize("seed", range(3))
def test_wrong_op_differs_at_its_tripping_input(bug, seed):
    arguments = draw(bug.tripping, seed)
    before = [v.detach().clone() if isinstance(v, torch.Tensor) else v for v in arguments]
    right = outputs_and_gradients(bug.right, arguments)
    try:
        wrong = outputs_and_gradients(bug.wrong, arguments)
    except (RuntimeError, ArithmeticError, AttributeError, IndexError):
        return
    changed = any(
        isinstance(value, torch.Tensor) and not torch.equal(value, kept)
        for value, kept in zip(arguments, before, strict=True)
    )
    assert changed or largest_error(wrong, right) > max(1e-9, 2 * lowest_precision(arguments))
