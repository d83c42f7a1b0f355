"""A page of numpy backpropagation as a learner writes it, right throughout.

N rows, D inputs, H hidden units, O outputs; z is before an activation, a after it, delta is the
gradient of the loss in z. Two sigmoid layers, mean squared error unless the caller says otherwise.
"""

# ruff: noqa: N803 - the sizes carry the letters above

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

Gradients = dict[str, np.ndarray]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def slope(a):
    """σ' expressed in a = σ(z)."""
    return a * (1 - a)


@dataclass(frozen=True)
class Page:
    """The numbers that a learner works with."""

    x: np.ndarray
    W1: np.ndarray
    b1: np.ndarray
    W2: np.ndarray
    b2: np.ndarray
    target: np.ndarray

    def forward(self):
        z1 = self.x @ self.W1 + self.b1
        a1 = sigmoid(z1)
        z2 = a1 @ self.W2 + self.b2
        return z1, a1, z2, sigmoid(z2)

    def loss(self):
        _, _, _, a2 = self.forward()
        return ((a2 - self.target) ** 2).mean()

    def delta2(self):
        _, _, _, a2 = self.forward()
        return 2 * (a2 - self.target) / self.target.size * slope(a2)

    def delta1(self, delta2):
        _, a1, _, _ = self.forward()
        return delta2 @ self.W2.T * slope(a1)

    def parameters(self, delta1, delta2) -> Gradients:
        _, a1, _, _ = self.forward()
        return {
            "W1": self.x.T @ delta1,
            "b1": delta1.sum(0),
            "W2": a1.T @ delta2,
            "b2": delta2.sum(0),
        }

    def gradients(self) -> Gradients:
        delta2 = self.delta2()
        return self.parameters(self.delta1(delta2), delta2)


def page(N=5, D=3, H=4, outputs=2, seed=0) -> Page:
    random = np.random.default_rng(seed)
    shapes = ((N, D), (D, H), (H,), (H, outputs), (outputs,))
    return Page(*(random.normal(size=shape) for shape in shapes), random.random((N, outputs)))


def mean_squared_error(_a1, z2, target):
    return F.mse_loss(z2.sigmoid(), target)


def binary_cross_entropy(_a1, z2, target):
    return F.binary_cross_entropy_with_logits(z2, target)


def autograd(page: Page, loss: Callable = mean_squared_error) -> dict[str, torch.Tensor]:
    """The reference: torch's gradients of loss(a1, z2, target) on the same page."""
    weights = {name: torch.tensor(getattr(page, name)) for name in ("W1", "b1", "W2", "b2")}
    for weight in weights.values():
        weight.requires_grad_()
    a1 = (torch.tensor(page.x) @ weights["W1"] + weights["b1"]).sigmoid()
    z2 = a1 @ weights["W2"] + weights["b2"]
    gradients = torch.autograd.grad(loss(a1, z2, torch.tensor(page.target)), list(weights.values()))
    return dict(zip(weights, gradients, strict=True))


def scaled(gradients: Gradients, factor: float) -> Gradients:
    return {name: factor * gradient for name, gradient in gradients.items()}


def in_single_precision(page: Page) -> Page:
    return Page(*(getattr(page, name).astype(np.float32) for name in page.__dataclass_fields__))
