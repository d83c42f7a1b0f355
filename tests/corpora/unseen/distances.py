"""Distances between points, kernels of them, and what is perpendicular."""

import torch
from torch.autograd.function import once_differentiable

from tests.random_inputs import leaf, normal, normals, number

from .by_hand import Slip, by_hand


def squares(a, b):
    return ((a[:, None] - b) ** 2).sum(-1)


@by_hand(
    lambda a, b: squares(a, b).amin(1).mean() + squares(a, b).amin(0).mean(),
    normals((5, 3), (4, 3)),
    Slip(
        "one way",
        ("missing-term", "wrong-elements"),
        "the nearest neighbour in the other direction gets nothing",
        "Chamfer distances of pytorch3d and ChamferDistancePytorch",
    ),
)
def chamfer(slip):
    def forward(ctx, a, b):
        distance = squares(a, b)
        ctx.save_for_backward(a, b, distance.argmin(1), distance.argmin(0))
        return distance.min(1).values.mean() + distance.min(0).values.mean()

    @once_differentiable
    def backward(ctx, grad_y):
        a, b, to_b, to_a = ctx.saved_tensors
        pull_a = 2 * grad_y * (a - b[to_b]) / len(a)
        pull_b = 2 * grad_y * (b - a[to_a]) / len(b)
        grad_a, grad_b = pull_a.clone(), pull_b.clone()
        if not slip:
            grad_a.index_add_(0, to_a, -pull_b)
            grad_b.index_add_(0, to_b, -pull_a)
        return grad_a, grad_b

    return forward, backward


@by_hand(
    torch.linalg.cross,
    normals((5, 3), (5, 3)),
    Slip(
        "sign",
        ("sign-flipped",),
        "a × grad_y for grad_y × a",
        "normals of meshes in pytorch3d",
    ),
)
def cross_product(slip):
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return torch.linalg.cross(a, b)

    def backward(ctx, grad_y):
        a, b = ctx.saved_tensors
        grad_b = torch.linalg.cross(*((a, grad_y) if slip else (grad_y, a)))
        return torch.linalg.cross(b, grad_y), grad_b

    return forward, backward


def euclidean(a, b):
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


def coincident_points(generator):
    a, b = normal(generator, 4, 3), normal(generator, 5, 3).detach()
    b[1] = a[2].detach()
    return a, leaf(b)


@by_hand(
    euclidean,
    coincident_points,
    Slip(
        "coincident points",
        ("not-finite",),
        "0/0 where two points coincide",
        "pytorch/pytorch#37154",
        ordinary=normals((4, 3), (5, 3)),
    ),
)
def distance(slip):
    def forward(ctx, a, b):
        y = squares(a, b).sqrt()
        ctx.save_for_backward(a, b, y)
        return y

    @once_differentiable
    def backward(ctx, grad_y):
        a, b, y = ctx.saved_tensors
        k = grad_y / y
        if not slip:
            k = k.masked_fill(y == 0, 0)
        pull = k[..., None] * (a[:, None] - b)
        return pull.sum(1), -pull.sum(0)

    return forward, backward


@by_hand(euclidean, normals((4, 3), (5, 3)))
def distance_of_distinct_points(_):
    return distance.written()


@by_hand(
    lambda a, b, length: torch.exp(-squares(a, b) / (2 * length**2)),
    lambda generator: (normal(generator, 4, 3), normal(generator, 5, 3), number(1.4)),
    Slip(
        "power of the length",
        ("constant-factor", "missing-local-derivative"),
        "ℓ² for ℓ³ in the length's gradient",
        "RBFCovariance of GPyTorch",
    ),
)
def radial_kernel(slip):
    def forward(ctx, a, b, length):
        distance = squares(a, b)
        y = torch.exp(-distance / (2 * length**2))
        ctx.save_for_backward(a, b, length, distance, y)
        return y

    @once_differentiable
    def backward(ctx, grad_y):
        a, b, length, distance, y = ctx.saved_tensors
        pull = (grad_y * y)[..., None] * (a[:, None] - b) / length**2
        grad_length = (grad_y * y * distance).sum() / length ** (2 if slip else 3)
        return -pull.sum(1), pull.sum(0), grad_length

    return forward, backward
