"""Distances between points, kernels of them, and what is perpendicular."""

import torch

from tests.random_inputs import leaf, normal, normals, number

from .by_hand import backward_of, by_hand, wrong


def squares(a, b):
    return ((a[:, None] - b) ** 2).sum(-1)


def chamfer_forward(a, b):
    distance = squares(a, b)
    nearest = {"to_b": distance.argmin(1), "to_a": distance.argmin(0)}
    return distance.min(1).values.mean() + distance.min(0).values.mean(), nearest


@wrong(
    "one way",
    ("missing-term", "wrong-elements"),
    "the nearest neighbour in the other direction gets nothing",
    "Chamfer distances of pytorch3d and ChamferDistancePytorch",
)
@backward_of(
    lambda a, b: squares(a, b).amin(1).mean() + squares(a, b).amin(0).mean(),
    normals((5, 3), (4, 3)),
    forward=chamfer_forward,
    once=True,
)
def chamfer(slip, grad_y, a, b, to_b, to_a):
    pull_a = 2 * grad_y * (a - b[to_b]) / len(a)
    pull_b = 2 * grad_y * (b - a[to_a]) / len(b)
    grad_a, grad_b = pull_a.clone(), pull_b.clone()
    if not slip:
        grad_a.index_add_(0, to_a, -pull_b)
        grad_b.index_add_(0, to_b, -pull_a)
    return grad_a, grad_b


@wrong("sign", ("sign-flipped",), "a × grad_y for grad_y × a", "normals of meshes in pytorch3d")
@backward_of(
    torch.linalg.cross, normals((5, 3), (5, 3)), forward=lambda a, b: torch.linalg.cross(a, b)
)
def cross_product(slip, grad_y, a, b):
    grad_b = torch.linalg.cross(*((a, grad_y) if slip else (grad_y, a)))
    return torch.linalg.cross(b, grad_y), grad_b


def euclidean(a, b):
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


def coincident_points(generator):
    a, b = normal(generator, 4, 3), normal(generator, 5, 3).detach()
    b[1] = a[2].detach()
    return a, leaf(b)


@wrong(
    "coincident points",
    ("not-finite",),
    "0/0 where two points coincide",
    "pytorch/pytorch#37154",
    ordinary=normals((4, 3), (5, 3)),
)
@backward_of(euclidean, coincident_points, forward=lambda a, b: squares(a, b).sqrt(), once=True)
def distance(slip, grad_y, a, b, y):
    k = grad_y / y
    if not slip:
        k = k.masked_fill(y == 0, 0)
    pull = k[..., None] * (a[:, None] - b)
    return pull.sum(1), -pull.sum(0)


@by_hand(euclidean, normals((4, 3), (5, 3)))
def distance_of_distinct_points(_):
    return distance.written()


@wrong(
    "power of the length",
    ("constant-factor", "missing-local-derivative"),
    "ℓ² for ℓ³ in the length's gradient",
    "RBFCovariance of GPyTorch",
)
@backward_of(
    lambda a, b, length: torch.exp(-squares(a, b) / (2 * length**2)),
    lambda generator: (normal(generator, 4, 3), normal(generator, 5, 3), number(1.4)),
    once=True,
)
def radial_kernel(slip, grad_y, a, b, length, y):
    pull = (grad_y * y)[..., None] * (a[:, None] - b) / length**2
    grad_length = (grad_y * y * squares(a, b)).sum() / length ** (2 if slip else 3)
    return -pull.sum(1), pull.sum(0), grad_length
