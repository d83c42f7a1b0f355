"""torch_geometric: networks on graphs."""

import pytest
import torch
from torch import Tensor, nn

from tests.packages.published import Shelf

pytest.importorskip("torch_geometric", reason="torch_geometric is not installed")

from torch_geometric import EdgeIndex
from torch_geometric.nn import GCNConv, GroupAddRev
from torch_geometric.utils.cross_entropy import sparse_cross_entropy

from tests.packages.published import Draw

FUNCTIONS = Shelf("torch_geometric")
ROW = (0, 0, 1, 1, 2, 3, 3)
COLUMN = (1, 2, 0, 4, 3, 0, 4)


def labels(draw: Draw) -> Tensor:
    """Three of five labels for each of four nodes."""
    chosen = torch.rand(4, 5, generator=draw.generator).topk(3).indices
    return torch.stack((torch.arange(4).repeat_interleave(3), chosen.flatten()))


def distinct(label: Tensor) -> bool:
    return bool((label >= 0).all()) and label.unique(dim=1).shape == label.shape


def by_softmax(x: Tensor, label: Tensor) -> Tensor:
    return -x.log_softmax(-1)[label[0], label[1]].sum() / len(x)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 5), labels(draw)),
    by_softmax,
    domain={"label": distinct},
    because="a node has a label once",
)
def cross_entropy(x: Tensor, label: Tensor) -> Tensor:
    return sparse_cross_entropy(x, label)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 5), labels(draw), draw.between(0.5, 2, 12)),
    wrt=("x",),
    domain={"label": distinct},
    because="weights of labels are not learnt, and a node has a label once",
)
def weighted_cross_entropy(x: Tensor, label: Tensor, weight: Tensor) -> Tensor:
    return sparse_cross_entropy(x, label, weight)


def dense(x: Tensor) -> Tensor:
    matrix = torch.zeros(4, 5, dtype=x.dtype)
    matrix[ROW, COLUMN] = 1
    return matrix @ x


@FUNCTIONS.holds(lambda draw: (draw.normal(5, 3),), dense)
def neighbours(x: Tensor) -> Tensor:
    edges = EdgeIndex((ROW, COLUMN), sparse_size=(4, 5), sort_order="row")
    return edges.matmul(x)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 3),),
    lambda x: dense(torch.eye(5, dtype=x.dtype)).T @ x,
    right=False,
    because="backward raises where the matrix is transposed and not square: it takes the two sizes "
    "the wrong way round",
)
def transposed_neighbours(x: Tensor) -> Tensor:
    column, row = zip(*sorted(zip(COLUMN, ROW, strict=True)), strict=True)
    edges = EdgeIndex((row, column), sparse_size=(4, 5), sort_order="col")
    return edges.matmul(x, transpose=True)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(5, 6),),
    dtype=torch.float64,
    expect={"mutates-saved": "the output's memory is given back: the next block holds it"},
    because="the output of a block is computed again from that of the next",
)
def reversible_convolution(x: Tensor) -> Tensor:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = nn.ModuleList(GCNConv(3, 3) for _ in range(2)).to(x.dtype)
    edges = torch.tensor((ROW, COLUMN))
    return GroupAddRev(layers)(x.clone(), edges)
