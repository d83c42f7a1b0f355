"""Stacks of every kind of layer, losses of every kind, and inputs that fit them."""

from collections.abc import Callable
from itertools import pairwise

import torch
from hypothesis import strategies as st
from torch import Tensor

from torchref import nn

LOSSES: dict[str, Callable[[], nn.Module]] = {
    "BCELoss": nn.BCELoss,
    "BCELoss sum": lambda: nn.BCELoss(reduction="sum"),
    "BCEWithLogitsLoss": nn.BCEWithLogitsLoss,
    "MSELoss": nn.MSELoss,
    "MSELoss sum": lambda: nn.MSELoss(reduction="sum"),
    **{
        f"SquaredError {reduction}": lambda reduction=reduction: nn.SquaredError(reduction)
        for reduction in ("sum", "mean", "half_sum", "half_mean")
    },
}
ACTIVATIONS = (
    nn.Sigmoid,
    nn.Tanh,
    nn.Softplus,
    nn.LogSigmoid,
    nn.SiLU,
    nn.Mish,
    nn.ReLU,
    nn.LeakyReLU,
    nn.ELU,
    nn.SELU,
    nn.Hardsigmoid,
    nn.Hardswish,
    nn.Identity,
)


def weighted(loss: nn.Module, outputs: int, seed: int) -> nn.Module:
    """The loss, with the weights that it can have."""
    draw = torch.Generator().manual_seed(seed)
    weight = 0.5 + torch.rand(outputs, generator=draw, dtype=torch.float64)
    if isinstance(loss, nn.BCELoss):
        return nn.BCELoss(weight, reduction=loss.reduction)
    if isinstance(loss, nn.BCEWithLogitsLoss):
        return nn.BCEWithLogitsLoss(weight, pos_weight=2 * weight)
    return loss


@st.composite
def stacks(draw: st.DrawFn) -> tuple[nn.Sequential, nn.Module, Tensor, Tensor]:
    """network, loss, x and target in float64, with a random cut of frozen parameters."""
    torch.manual_seed(draw(st.integers(0, 10_000)))
    sizes = draw(st.lists(st.integers(1, 5), min_size=2, max_size=6))
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        linear = draw(st.sampled_from(("bias", "no bias", "homogeneous")))
        layers.append(
            nn.HomogeneousLinear(inputs, outputs)
            if linear == "homogeneous"
            else nn.Linear(inputs, outputs, bias=linear == "bias")
        )
        layers.extend(draw(st.lists(st.sampled_from(ACTIVATIONS), max_size=2).map(instances)))
    name = draw(st.sampled_from(sorted(LOSSES)))
    if name.startswith("BCELoss"):
        layers.append(nn.Sigmoid())
    if draw(st.booleans()):  # nested, as users nest them
        layers = [nn.Sequential(*layers[: len(layers) // 2 + 1]), *layers[len(layers) // 2 + 1 :]]
    network = nn.Sequential(*layers).double()
    for parameter in network.parameters():
        parameter.requires_grad_(draw(st.integers(0, 4)) > 0)
    loss = LOSSES[name]()
    if draw(st.booleans()):
        loss = weighted(loss, sizes[-1], seed=1)
    leading = draw(st.lists(st.integers(1, 4), max_size=2))
    x = torch.randn(*leading, sizes[0], dtype=torch.float64)
    target = torch.rand(*leading, sizes[-1], dtype=torch.float64)
    return network, loss, x, target


def instances(kinds: list[type[nn.Module]]) -> list[nn.Module]:
    return [kind() for kind in kinds]


def by_autograd(
    network: nn.Module, loss: nn.Module, x: Tensor, target: Tensor
) -> tuple[Tensor, dict[str, Tensor]]:
    """The same by autograd, through torch's tape."""
    trained = {name: p for name, p in network.named_parameters() if p.requires_grad}
    value = loss(network(x), target)
    if not trained:
        return value, {}
    gradients = torch.autograd.grad(value, list(trained.values()), allow_unused=True)
    return value.detach(), dict(zip(trained, gradients, strict=True))
