"""Every right function runs at its inputs, with finite values and finite gradients."""

import pytest
import torch

from . import RIGHT


def test_names_are_unique():
    assert len({right.name for right in RIGHT}) == len(RIGHT)


@pytest.mark.parametrize("right", RIGHT, ids=lambda right: right.name)
@pytest.mark.parametrize("seed", range(2))
def test_values_and_gradients_are_finite(right, seed):
    arguments = right.inputs(torch.Generator().manual_seed(seed))
    returned = right.function(*arguments, **right.kwargs)
    outputs = returned if isinstance(returned, tuple) else (returned,)
    outputs = [output for output in outputs if output.requires_grad]
    leaves = [value for value in arguments if isinstance(value, torch.Tensor)]
    leaves = [value for value in leaves if value.requires_grad]
    assert outputs
    assert leaves
    assert all(value.dtype in (torch.float64, torch.complex128) for value in leaves)
    cotangents = [torch.randn_like(output) for output in outputs]
    gradients = torch.autograd.grad(outputs, leaves, cotangents)
    assert all(value.isfinite().all() for value in (*outputs, *gradients))
