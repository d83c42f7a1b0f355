"""Affine maps: the lecture's numbers, the folded bias, and products that are not computed."""

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from tests.random_inputs import seeded
from torchref.catalogue.entry import normal
from torchref.ops import Affine, HomogeneousAffine


class ProductCounter(TorchDispatchMode):
    """How many matrix products run inside the context."""

    count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += func in (torch.ops.aten.mm.default, torch.ops.aten.addmm.default)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    ("needed", "products"),
    [("x", 1), ("weight", 1), ("bias", 0), ("x weight", 2), ("x bias", 1), ("x weight bias", 2)],
)
def test_no_product_is_computed_for_a_gradient_that_nobody_needs(
    needed: str, products: int
) -> None:
    shapes = {"x": (5, 4), "weight": (3, 4), "bias": (3,)}
    inputs = {
        name: torch.ones(shape, requires_grad=name in needed.split())
        for name, shape in shapes.items()
    }
    y = Affine.call(*inputs.values())
    with ProductCounter() as counter:
        y.sum().backward()
    assert counter.count == products


def draw(*shape: int) -> Tensor:
    return normal(seeded(len(shape)), *shape)


@pytest.mark.parametrize("leading", [(), (6,), (2, 6), (0,)])
def test_a_bias_inside_the_matrix_is_a_bias_beside_it(leading: tuple[int, ...]) -> None:
    x, weight, bias = draw(*leading, 4), draw(3, 4), draw(3)
    beside = [x.requires_grad_(), weight.requires_grad_(), bias.requires_grad_()]
    inside = torch.column_stack((weight, bias)).detach().requires_grad_()
    y, folded = Affine.call(x, weight, bias), HomogeneousAffine.call(x, inside)
    torch.testing.assert_close(folded, y, rtol=1e-14, atol=1e-14)
    cotangent = draw(*y.shape)
    grad_x, grad_weight, grad_bias = torch.autograd.grad(y, beside, cotangent)
    folded_grad_x, grad_inside = torch.autograd.grad(folded, (x, inside), cotangent)
    torch.testing.assert_close(folded_grad_x, grad_x, rtol=1e-14, atol=1e-14)
    expected = torch.column_stack((grad_weight, grad_bias))
    torch.testing.assert_close(grad_inside, expected, rtol=1e-14, atol=1e-14)


def test_the_gradient_of_every_argument_in_closed_form() -> None:
    """With one example: ∂L/∂x = Wᵀ g, ∂L/∂W = g xᵀ, ∂L/∂b = g."""
    x, weight, bias, g = draw(4), draw(3, 4), draw(3), draw(3)
    leaves = [x.requires_grad_(), weight.requires_grad_(), bias.requires_grad_()]
    grads = torch.autograd.grad(Affine.call(*leaves), leaves, g)
    expected = (weight.T @ g, torch.outer(g, x), g)
    torch.testing.assert_close(grads, expected, rtol=1e-14, atol=1e-14)
