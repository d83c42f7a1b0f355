"""Strides: of grad_output and of the inputs, in every layout that autograd hands over."""

import pytest
import torch

from tests.checker.given import normal, run_of
from tests.checker.probes.findings import Square, X, found, square_with
from tests.corpora.wrong_ops.rule import gradients_of
from torchref.checker.probes.layouts import (
    LAYOUTS,
    cotangent_layouts,
    input_layouts,
    strided,
    transposed,
)


def in_memory_order(x):
    """The entries in the order of memory, as a kernel that forgets the strides reads them."""
    size = 1 + sum((n - 1) * s for n, s in zip(x.shape, x.stride(), strict=True))
    flat = x.as_strided((size,), (1,), x.storage_offset())
    return flat[torch.arange(x.numel()) % size].reshape(x.shape)


@pytest.mark.parametrize("shape", [(4, 3), (5,), (), (2, 1, 3), (0, 3)], ids=str)
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=list(LAYOUTS))
def test_a_layout_has_the_values(layout, shape: tuple[int, ...]) -> None:
    x = normal(*shape)
    assert torch.equal(layout(x), x)
    assert layout(torch.ones(3, 2, dtype=torch.bool)).all()


def test_layouts_are_not_contiguous() -> None:
    assert transposed(X).stride() == (1, 4)
    assert strided(X).stride() == (7, 2)
    assert strided(X).storage_offset() == 1


@pytest.mark.parametrize("probe", [cotangent_layouts, input_layouts])
def test_the_right_one_passes(probe) -> None:
    assert found(probe, Square) == []


@pytest.mark.parametrize("read", [in_memory_order, lambda grad_y: grad_y.view(-1).view(4, 3)])
def test_a_layout_of_grad_output(read) -> None:
    candidate = square_with(lambda grad_y, x: 2 * x * read(grad_y))
    (finding,) = cotangent_layouts(run_of(candidate, None, X)).findings
    assert finding.cause == "layout-dependent"
    assert "grad_output" in finding.evidence


def test_an_expanded_grad_output_alone() -> None:
    only_expanded = square_with(lambda g, x: 2 * x * g * (2 if 0 in g.stride() else 1))
    (finding,) = cotangent_layouts(run_of(only_expanded, None, X)).findings
    assert "expanded" in finding.evidence


def test_a_layout_of_the_input() -> None:
    forgets_strides = square_with(lambda grad_y, x: 2 * in_memory_order(x) * grad_y)
    assert found(input_layouts, forgets_strides) == [("layout-dependent", "x")]


def test_a_choice_among_ties_may_go_with_the_layout() -> None:
    """An expanded input repeats its values: any of them is the largest."""

    @gradients_of(lambda x: x.amax(1))
    def Largest(grad_y, x):
        largest = (x == x.amax(1, keepdim=True)).double()
        first = largest.argmax(1) if x.is_contiguous() else 2 - largest.flip(1).argmax(1)
        chosen = torch.zeros_like(largest).scatter(1, first.unsqueeze(1), 1.0)
        return chosen * grad_y.unsqueeze(1)

    assert input_layouts(run_of(Largest, None, X)).findings == []


class Dropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mask = (torch.rand_like(x) > 0.4).to(x.dtype)
        return x * ctx.mask

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y * ctx.mask


def test_random_numbers_drawn_in_the_order_of_memory_are_no_mistake() -> None:
    assert input_layouts(run_of(Dropout, None, X)).findings == []


def test_another_output_without_random_numbers_is_one() -> None:
    assert input_layouts(run_of(lambda x: in_memory_order(x) ** 2, None, X)).findings


def test_a_gradient_that_goes_with_an_expansion_is_found() -> None:
    @square_with
    def OverwritesRepeats(grad_y, x):
        """One place in memory for what is repeated: the last that is written stays."""
        once = tuple(slice(None) if stride else slice(-1, None) for stride in x.stride())
        return (2 * x * grad_y)[once].expand(x.shape)

    (finding,) = input_layouts(run_of(OverwritesRepeats, None, X)).findings
    assert "for an expanded (along dimension 0) x" in finding.evidence


def test_a_forward_that_refuses_a_layout_is_not_blamed() -> None:
    def contiguous_only(x):
        if not x.is_contiguous():
            raise ValueError("contiguous only")
        return x**2

    assert input_layouts(run_of(contiguous_only, None, X)).findings == []
