"""Explanations of networks of sigmoids, from random numbers that are always the same."""

import torch

from torchref import explain, nn
from torchref.explainer import Explanation


def chain_of(sizes: tuple[int, ...], **options: object) -> Explanation:
    torch.manual_seed(0)
    network = nn.SigmoidNetwork(sizes).double()
    x, target = torch.rand(sizes[0]).double(), torch.rand(sizes[-1]).double()
    return explain(network, nn.BCELoss(), x, target, **options)
