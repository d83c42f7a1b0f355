"""peft: weights that are products of few numbers."""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Shelf

loha = pytest.importorskip("peft.tuners.loha.layer", reason="peft is not installed")
randlora = pytest.importorskip("peft.tuners.randlora.layer")
c3a = pytest.importorskip("peft.tuners.c3a.utils")
FUNCTIONS = Shelf("peft")


@FUNCTIONS.holds(
    lambda draw: (draw.normal(5, 2), draw.normal(2, 7), draw.normal(5, 2), draw.normal(2, 7)),
    lambda w1a, w1b, w2a, w2b: 0.5 * (w1a @ w1b) * (w2a @ w2b),
)
def hada_weight(w1a: Tensor, w1b: Tensor, w2a: Tensor, w2b: Tensor) -> Tensor:
    return loha.make_weight(w1a, w1b, w2a, w2b, torch.tensor(0.5))


@FUNCTIONS.holds(
    lambda draw: (
        draw.normal(2, 2, 3, 4),
        draw.normal(2, 5),
        draw.normal(2, 7),
        draw.normal(2, 2, 3, 4),
        draw.normal(2, 5),
        draw.normal(2, 7),
    ),
    right=False,
    because="the gradients of w1a and w2a are made of the other factor's tensors",
)
def hada_weight_of_a_convolution(
    t1: Tensor, w1a: Tensor, w1b: Tensor, t2: Tensor, w2a: Tensor, w2b: Tensor
) -> Tensor:
    return loha.make_weight_cp(t1, w1a, w1b, t2, w2a, w2b, torch.tensor(0.5))


@FUNCTIONS.holds(
    lambda draw: (draw.normal(3, 1, 6), draw.normal(3, 2), draw.normal(2, 6)),
    lambda base, lam, gamma: lam[:, :, None] * base * gamma,
    wrt=("lam", "gamma"),
    domain={"base": lambda base: base.shape[1] == 1},
    because="the base is one row for all, random and never trained",
)
def randlora_base(base: Tensor, lam: Tensor, gamma: Tensor) -> Tensor:
    return randlora.UniqueBaseGrad.apply(base, lam, gamma)


def circulant_blocks(x: Tensor, w: Tensor) -> Tensor:
    _, n, b = w.shape
    shift = (torch.arange(b)[:, None] - torch.arange(b)) % b
    parts = x.unflatten(-1, (n, b))
    return torch.einsum("mnij,...ni->...mj", w[..., shift], parts).flatten(-2)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(5, 2 * 4), draw.normal(3, 2, 4)),
    circulant_blocks,
    domain=lambda x, w: x.shape[-1] == w.shape[1] * w.shape[2],
    because="the row is as long as its blocks together; the gradient of x is that of the reversed "
    "grad_output, for its transform is taken the wrong way",
    right=False,
)
def block_circular_convolution(x: Tensor, w: Tensor) -> Tensor:
    return c3a.BlockCircularConvolution.apply(x, w)
