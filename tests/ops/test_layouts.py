"""Where numbers lie in memory changes no result: inputs and cotangents in every layout."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tests.ops.catalogue_cases import SAMPLES, Case, normal_like, on_each, tensors
from tests.ops.closeness import assert_all_close, assert_close_in_float64
from tests.ops.memory_layouts import LAYOUTS, expanded, strided, transposed
from torchref.ops import Softmax


def test_the_layouts_are_what_they_say() -> None:
    x = torch.arange(60.0).reshape(3, 4, 5)
    for layout in (transposed, strided, expanded):
        assert not layout(x).is_contiguous()
    assert torch.equal(transposed(x), x)
    assert torch.equal(strided(x), x)
    assert expanded(x).stride(0) == 0


def value_and_gradients(
    case: Case, layout: Callable[[Tensor], Tensor], cotangent: Tensor
) -> tuple[Tensor, ...]:
    laid_out = on_each(lambda x: layout(x).requires_grad_(), case.inputs())
    y = case.entry.op.call(*laid_out)
    return y.detach(), *torch.autograd.grad(y, tensors(laid_out), cotangent)


@pytest.mark.parametrize("of_cotangent", LAYOUTS.values(), ids=list(LAYOUTS))
@pytest.mark.parametrize("of_inputs", LAYOUTS.values(), ids=list(LAYOUTS))
@pytest.mark.parametrize("case", SAMPLES, ids=str)
def test_no_layout_changes_a_result(
    case: Case, of_inputs: Callable[[Tensor], Tensor], of_cotangent: Callable[[Tensor], Tensor]
) -> None:
    cotangent = of_cotangent(normal_like(case.entry.op.call(*case.inputs()), seed=1))
    y, *mine = value_and_gradients(case, of_inputs, cotangent)

    def packed(x: Tensor) -> Tensor:
        return of_inputs(x).clone(memory_format=torch.contiguous_format)

    y_packed, *expected = value_and_gradients(case, packed, cotangent.clone().contiguous())
    assert_close_in_float64(y, y_packed)
    assert_all_close(mine, expected)


# A softmax sums to one whatever x is, and a group with one weight to its bias when it is
# standardised: this gradient of them is nothing but rounding.
ONE_WEIGHT = ("Standardisation-samples-2", "Standardisation-samples-4")
NOT_CONSTANT = [
    case for case in SAMPLES if case.entry.op is not Softmax and str(case) not in ONE_WEIGHT
]


@pytest.mark.parametrize("case", NOT_CONSTANT, ids=str)
def test_the_expanded_cotangent_that_sum_sends(case: Case) -> None:
    inputs = on_each(lambda x: x.requires_grad_(), case.inputs())
    mine = torch.autograd.grad(case.entry.op.call(*inputs).sum(), tensors(inputs))
    twins = torch.autograd.grad(case.entry.twin(*inputs).sum(), tensors(inputs))
    assert_all_close(mine, twins)
