"""The gradient number by number, with and without reuse, and what the two cost."""

import pytest
import torch

from experiments.lecture.multiplied_out import local_derivatives, recomputed, stored
from torchref import nn
from torchref.explainer.chain.counting import count


@pytest.mark.parametrize("sizes", [(3, 2), (1, 1, 1), (4, 3, 2), (3, 2, 4, 1), (2, 3, 1, 3, 2)])
def test_both_ways_give_autograds_gradient_at_the_cost_that_was_counted(
    sizes: tuple[int, ...],
) -> None:
    torch.manual_seed(0)
    network = nn.SigmoidNetwork(sizes).double()
    x, target = torch.rand(sizes[0]).double(), torch.rand(sizes[-1]).double()
    its = torch.autograd.grad((network(x) - target).square().sum(), [*network.parameters()])
    truth = [torch.column_stack(pair) for pair in zip(its[::2], its[1::2], strict=True)]
    counts = count(sizes, (1,) * (len(sizes) - 1))
    local = local_derivatives(network, nn.SquaredError("sum"), x, target)
    for way, cost in ((stored, counts.reused), (recomputed, counts.recomputed)):
        gradients, multiplications = way(local)
        assert multiplications == cost
        for gradient, expected in zip(gradients, truth, strict=True):
            found = torch.tensor(gradient, dtype=torch.float64)
            torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-15)
