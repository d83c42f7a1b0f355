"""Candidates whose gradients are wrong, and what a report says of them."""

import torch

from tests.corpora.wrong_ops.rule import Rule
from torchref import Report


class Doubled(Rule):
    """y = x + x, whose gradient counts x once."""

    @staticmethod
    def forward(x):
        return x + x

    @staticmethod
    def gradients(grad_y, x):
        return grad_y.clone()


class Scaled(Rule):
    """y = factor · x, right unless the factor is 3."""

    @staticmethod
    def forward(x, factor):
        return factor * x

    @staticmethod
    def gradients(grad_y, x, factor):
        return grad_y * (1.0 if factor == 3 else factor), None


class SlopeForgotten(Rule):
    """y = scale · sin x, whose gradient of the scale is right and that of x lacks the scale."""

    @staticmethod
    def forward(x, scale):
        return scale * torch.sin(x)

    @staticmethod
    def gradients(grad_y, x, scale):
        return grad_y * torch.cos(x), grad_y * torch.sin(x)


def causes(report: Report) -> list[str]:
    return [finding.cause for finding in report.findings]
