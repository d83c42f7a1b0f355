"""How large δ can be at most: what activations with a bounded slope let through."""

import torch

from torchref import nn
from torchref.backprop.repository import Repository


def delta_bounds(network: nn.Module, kept: Repository, steepest: float) -> list[float]:
    """|δ⁽ˡ⁾| ≤ sᵈ Π‖W‖ |∂L/∂a⁽ᴸ⁾| over the d layers from l to the end, the first one first.

    `steepest` is s, the largest slope of the activation that follows every linear layer, a quarter
    for the sigmoid; ‖W‖ is the largest singular value, and the weights are those above l.
    Source: the chain rule, with every factor at its largest.

    >>> from torchref.backprop import sweep
    >>> network = nn.SigmoidNetwork((2, 3, 1))
    >>> kept = sweep(network, nn.MSELoss(), torch.rand(4, 2), torch.rand(4, 1)).repository
    >>> first, last = delta_bounds(network, kept, steepest=0.25)
    >>> bool(kept.delta(1).norm() <= first and kept.delta(2).norm() <= last)
    True
    """
    *_, output = kept.outputs
    bound = steepest * kept.deltas[output].norm().item()
    bounds = [bound]
    matrices = [weight.detach() for weight in network.parameters() if weight.dim() == 2]
    for weight in reversed(matrices[1:]):
        bound *= steepest * torch.linalg.matrix_norm(weight, 2).item()
        bounds.insert(0, bound)
    return bounds
