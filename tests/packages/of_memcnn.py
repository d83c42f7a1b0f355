"""memcnn: couplings that forget their inputs, and compute them again from their outputs."""

import warnings

import pytest
import torch
from torch import Tensor, nn

from tests.packages.published import Published, Shelf

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


def coupled(kind: type, implementation: int, x: Tensor, **options: object) -> Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the handwritten ones are deprecated
        layer = kind(
            block(x.dtype),
            block(x.dtype),
            implementation_fwd=implementation,
            implementation_bwd=implementation,
            **options,
        )
    return layer(x)


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
    because="with keep_input=True the gradient of the input comes out twice as large",
)
def checkpoint(x: Tensor) -> Tensor:
    coupling = memcnn.AdditiveCoupling(block(x.dtype), block(x.dtype))
    return memcnn.InvertibleModuleWrapper(coupling, keep_input=True, num_bwd_passes=9)(x)


def coupling() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return AdditiveCoupling(
            block(torch.float32), block(torch.float32), implementation_fwd=0, implementation_bwd=0
        )


FUNCTIONS.append(
    Published(
        "memcnn.coupling",
        coupling(),
        None,
        lambda draw: (draw.normal(3, 4, 5),),
        because="backward raises where the weights are frozen",
        right=False,
    )
)
