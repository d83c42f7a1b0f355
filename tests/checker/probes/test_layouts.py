"""Strides: of grad_output and of the inputs, in every layout that autograd hands over."""

import pytest
import torch

from tests.checker.given.functions import backward_in, gradients_in
from tests.checker.given.runs import normal, run_of
from tests.corpora.wrong_ops.right_rules import Square
from torchref.checker.probes.layouts import (
    LAYOUTS,
    cotangent_layouts,
    input_layouts,
    strided,
    transposed,
)

X = normal(4, 3)


def in_memory_order(x):
    """The entries in the order of memory, as a kernel that forgets the strides reads them."""
    size = 1 + sum((n - 1) * s for n, s in zip(x.shape, x.stride(), strict=True))
    flat = x.as_strided((size,), (1,), x.storage_offset())
    return flat[torch.arange(x.numel()) % size].reshape(x.shape)


@gradients_in(Square)
def ForgetsStridesOfGrad(grad_y, x):
    return Square.gradients(in_memory_order(grad_y), x)


@gradients_in(Square)
def ForgetsStridesOfInput(grad_y, x):
    return Square.gradients(grad_y, in_memory_order(x))


@gradients_in(Square)
def ViewsGrad(grad_y, x):
    return Square.gradients(grad_y.view(-1).view(grad_y.shape), x)


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


def test_the_right_one_passes() -> None:
    for probe in (cotangent_layouts, input_layouts):
        outcome = probe(run_of(Square, None, X))
        assert outcome.findings == []
        assert outcome.skipped == ""


@pytest.mark.parametrize("candidate", [ForgetsStridesOfGrad, ViewsGrad])
def test_a_layout_of_grad_output(candidate) -> None:
    (finding,) = cotangent_layouts(run_of(candidate, None, X)).findings
    assert finding.cause == "layout-dependent"
    assert "grad_output" in finding.evidence


def test_an_expanded_grad_output_alone() -> None:
    @backward_in(Square)
    def OnlyExpanded(ctx, grad_y):
        wrong = 0 in grad_y.stride()
        return Square.backward(ctx, grad_y) * (2 if wrong else 1)

    (finding,) = cotangent_layouts(run_of(OnlyExpanded, None, X)).findings
    assert "expanded" in finding.evidence


def test_a_layout_of_the_input() -> None:
    (finding,) = input_layouts(run_of(ForgetsStridesOfInput, None, X)).findings
    assert (finding.cause, finding.argument) == ("layout-dependent", "x")


def test_a_choice_among_ties_may_go_with_the_layout() -> None:
    """An expanded input repeats its values: any of them is the largest."""

    class Largest(Square):
        @staticmethod
        def forward(x):
            return x.amax(1)

        @staticmethod
        def backward(ctx, grad_y):
            (x,) = ctx.saved_tensors
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
    def forgets_strides(x):
        return in_memory_order(x) ** 2

    assert input_layouts(run_of(forgets_strides, None, X)).findings


def test_a_gradient_that_goes_with_an_expansion_is_found() -> None:
    @backward_in(Square)
    def OverwritesRepeats(ctx, grad_y):
        """One place in memory for what is repeated: the last that is written stays."""
        grad_x = Square.backward(ctx, grad_y)
        (x,) = ctx.saved_tensors
        once = tuple(slice(None) if stride else slice(-1, None) for stride in x.stride())
        return grad_x[once].expand(x.shape)

    (finding,) = input_layouts(run_of(OverwritesRepeats, None, X)).findings
    assert "for an expanded (along dimension 0) x" in finding.evidence


def test_a_forward_that_refuses_a_layout_is_not_blamed() -> None:
    def contiguous_only(x):
        if not x.is_contiguous():
            raise ValueError("contiguous only")
        return x**2

    assert input_layouts(run_of(contiguous_only, None, X)).findings == []
