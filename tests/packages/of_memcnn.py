"""memcnn: couplings that forget their inputs, and compute them again from their outputs."""

import warnings

import pytest
import torch
from torch import Tensor, nn

from tests.packages.published import Shelf

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # memcnn imports from torch.cuda.amp
    memcnn = pytest.importorskip("memcnn", reason="memcnn is not installed")

from memcnn.models.additive import AdditiveCoupling
from memcnn.models.affine import AffineAdapterNaive, AffineCoupling

FUNCTIONS = Shelf("memcnn")


def block(dtype: torch.dtype) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(5, 5), nn.Tanh()).to(dtype)


def coupled(
    kind: type,
    implementation: int,
    x: Tensor,
    *,
    trained: bool = True,
    inverse: bool = False,
    **options: object,
) -> Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the handwritten ones are deprecated
        layer = kind(
            block(x.dtype),
            block(x.dtype),
            implementation_fwd=implementation,
            implementation_bwd=implementation,
            **options,
        )
    layer.requires_grad_(trained)
    return layer.inverse(x) if inverse else layer(x)


def added(x: Tensor) -> Tensor:
    network = block(x.dtype)
    first, second = x.chunk(2, 1)
    first = first + network(second)
    return torch.cat((first, second + network(first)), 1)


@FUNCTIONS.holds(lambda draw: (draw.normal(3, 4, 5),), added)
def additive(x: Tensor) -> Tensor:
    return coupled(AdditiveCoupling, 0, x)


@FUNCTIONS.holds(lambda draw: (draw.normal(3, 4, 5),))
def additive_without_input(x: Tensor) -> Tensor:
    return coupled(AdditiveCoupling, 1, x.clone())


@FUNCTIONS.holds(lambda draw: (draw.normal(3, 4, 5),), dtype=torch.float64)
def affine(x: Tensor) -> Tensor:
    return coupled(AffineCoupling, 0, x, adapter=AffineAdapterNaive)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(3, 4, 5),),
    added,
    right=False,
    because="with keep_input=True the gradient of the input comes out twice as large: backward "
    "puts it in the input's grad, and returns it",
)
def checkpoint(x: Tensor) -> Tensor:
    coupling = memcnn.AdditiveCoupling(block(x.dtype), block(x.dtype))
    return memcnn.InvertibleModuleWrapper(coupling, keep_input=True, num_bwd_passes=9)(x)


FROZEN = "backward raises where the weights are frozen: it differentiates by all of them"


@FUNCTIONS.holds(lambda draw: (draw.normal(3, 4, 5),), right=False, because=FROZEN)
def coupling(x: Tensor) -> Tensor:
    return coupled(AdditiveCoupling, 0, x, trained=False)


@FUNCTIONS.holds(lambda draw: (draw.normal(3, 4, 5),), right=False, because=FROZEN)
def coupling_without_input(x: Tensor) -> Tensor:
    return coupled(AdditiveCoupling, 1, x.clone(), trained=False)


@FUNCTIONS.holds(lambda draw: (draw.normal(3, 4, 5),), right=False, because=FROZEN)
def affine_coupling(x: Tensor) -> Tensor:
    return coupled(AffineCoupling, 0, x, trained=False, adapter=AffineAdapterNaive)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(3, 4, 5),),
    dtype=torch.float64,
    right=False,
    because="the gradients of the two halves of the input come out in each other's place",
)
def inverse_coupling(y: Tensor) -> Tensor:
    return coupled(AdditiveCoupling, 0, y, inverse=True)
