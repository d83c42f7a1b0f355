"""What is particular to losses of class numbers: no rows of ones are made, nor all logits."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tests.ops.catalogue_cases import gradients, normal_like
from tests.random_inputs import seeded
from torchref import functional
from torchref.catalogue.entry import normal
from torchref.ops import (
    NLL,
    Affine,
    IndexCrossEntropy,
    LinearCrossEntropy,
    cross_entropy_steps,
)


def test_class_numbers_are_probabilities_of_one() -> None:
    """The steps of a row of zeros and a one are those of the class's number."""
    x, number = normal(seeded(0), 5, 3), torch.tensor([0, 2, 1, 1, 0])
    row = torch.nn.functional.one_hot(number, 3).double()
    y, (grad_x,) = gradients(lambda x: IndexCrossEntropy.call(x, number, None, -100, 0.0), (x,))
    steps = cross_entropy_steps(x, row, normal_like(y, seed=1))
    torch.testing.assert_close((y, grad_x), (steps.y, steps.grad_x), rtol=1e-13, atol=1e-14)


class LargestTensor(TorchDispatchMode):
    """How many entries the largest tensor has that is made."""

    def __init__(self) -> None:
        super().__init__()
        self.entries = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        for x in tree_leaves(made):
            if isinstance(x, Tensor):
                self.entries = max(self.entries, x.untyped_storage().nbytes() // x.element_size())
        return made


def largest_made(op: Callable[..., Tensor], examples: int, classes: int, features: int) -> int:
    x = normal(seeded(0), examples, features).float().requires_grad_()
    weight = normal(seeded(1), classes, features).float().requires_grad_()
    target = torch.randint(classes, (examples,), generator=seeded(2))
    with LargestTensor() as made:
        torch.autograd.grad(op(x, weight, target), (x, weight))
    return made.entries


def test_the_largest_tensor_does_not_grow_with_the_product_of_rows_and_classes() -> None:
    """It is a gradient, or a few rows of logits: never those of all rows."""

    def in_chunks(x: Tensor, weight: Tensor, target: Tensor) -> Tensor:
        return LinearCrossEntropy.call(x, weight, None, target, None, -100, 0.1, 4).sum()

    def together(x: Tensor, weight: Tensor, target: Tensor) -> Tensor:
        logits = Affine.call(x, weight, None)
        return IndexCrossEntropy.call(logits, target, None, -100, 0.1).sum()

    for examples, classes in ((64, 96), (128, 192), (256, 384)):
        assert largest_made(together, examples, classes, 2) == examples * classes
        assert largest_made(in_chunks, examples, classes, 2) == 4 * classes
        by_size = largest_made(functional.linear_cross_entropy, examples, classes, 2)
        assert by_size <= 2 * max(examples, classes)


def test_no_row_of_zeros_and_a_one_is_made() -> None:
    """No tensor of whole numbers is larger than the targets."""
    x, target = normal(seeded(0), 7, 5).requires_grad_(), torch.randint(5, (7,))
    seen = []

    class Made(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            made = function(*args, **(kwargs or {}))
            tensors_made = [y for y in tree_leaves(made) if isinstance(y, Tensor)]
            seen.extend(y for y in tensors_made if y.dtype == torch.int64 and y.numel() > 7)
            return made

    with Made():
        y = IndexCrossEntropy.call(x, target, None, -100, 0.1)
        torch.autograd.grad(y.sum(), x)
        assert seen == []
        torch.nn.functional.one_hot(target, 5)
    assert len(seen) > 0


def test_what_is_ignored_is_not_looked_at_in_either_direction() -> None:
    """Rows of NaN and infinite cotangents send nothing back."""
    x = normal(seeded(0), 3, 4)
    x[1] = torch.nan
    target, cotangent = torch.tensor([1, -100, 2]), torch.tensor([1.0, torch.inf, 1.0]).double()
    weight = torch.ones(4).double()
    for op, options in ((NLL, ()), (IndexCrossEntropy, (0.1,))):
        leaves = x.clone().requires_grad_(), weight.clone().requires_grad_()
        y = op.call(leaves[0], target, leaves[1], -100, *options)
        grad_x, grad_weight = torch.autograd.grad(y, leaves, cotangent)
        assert y[1] == 0
        assert grad_x[1].tolist() == [0, 0, 0, 0]
        assert grad_x.isfinite().all()
        assert grad_weight.isfinite().all()
