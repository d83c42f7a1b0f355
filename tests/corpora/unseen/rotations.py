"""Rotations: axis and angle, quaternions, matrices."""

import torch

from tests.random_inputs import leaf, normal, normals, with_entries

from .by_hand import backward_of, by_hand, wrong

cross = torch.linalg.cross


def dot(a, b):
    return (a * b).sum(-1, keepdim=True)


def quaternion_of(v):
    square = dot(v, v)
    small = square < 1e-12
    angle = torch.where(small, torch.ones_like(square), square).sqrt()
    sine = torch.where(small, 0.5 - square / 48, torch.sin(angle / 2) / angle)
    return torch.cat([torch.where(small, 1 - square / 8, torch.cos(angle / 2)), sine * v], -1)


@wrong(
    "no rotation",
    ("not-finite",),
    "torch.where guards the value, and the gradient of √0 reaches past it",
    "kornia/kornia#4404, kornia/kornia#3949",
    ordinary=normals((4, 3)),
)
@by_hand(quaternion_of, with_entries((4, 3), {(2,): 0.0}))
def quaternion_of_axis_and_angle(slip):
    """Nothing by hand: autograd differentiates what is written."""

    def unguarded(v):
        angle = dot(v, v).sqrt()
        sine = torch.where(angle < 1e-6, 0.5 - angle * angle / 48, torch.sin(angle / 2) / angle)
        return torch.cat([torch.cos(angle / 2), sine * v], -1)

    return unguarded if slip else quaternion_of


def coefficients(w):
    """sin t/t, (1 − cos t)/t², and t itself, made 1 where it is small."""
    square = dot(w, w)
    small = square < 1e-8
    t = torch.where(small, torch.ones_like(square), square).sqrt()
    a = torch.where(small, 1 - square / 6, torch.sin(t) / t)
    b = torch.where(small, 0.5 - square / 24, (1 - torch.cos(t)) / t**2)
    return a, b, t, small


def turned(w, x):
    a, b, _, _ = coefficients(w)
    return x + a * cross(w, x) + b * cross(w, cross(w, x))


def one_small_angle(generator):
    w, x = normal(generator, 4, 3).detach(), normal(generator, 4, 3)
    w[1] *= 1e-6
    return leaf(w), x


@wrong(
    "small angle",
    ("wrong-elements",),
    "the branch for small angles returns no gradient for the rotation",
    "small angles in lietorch, theseus and jaxlie",
    tripping=one_small_angle,
    ordinary=normals((4, 3), (4, 3)),
)
@backward_of(turned, normals((4, 3), (4, 3)), once=True)
def turn(slip, grad_y, w, x):
    a, b, t, small = coefficients(w)
    slope_a = (t * torch.cos(t) - torch.sin(t)) / t**3
    slope_b = (t * torch.sin(t) - 2 * (1 - torch.cos(t))) / t**4
    slope_a = torch.where(small, torch.full_like(t, -1 / 3), slope_a)
    slope_b = torch.where(small, torch.full_like(t, -1 / 12), slope_b)
    once, twice = cross(w, x), cross(w, cross(w, x))
    grad_w = a * cross(x, grad_y)
    grad_w = grad_w + w * (slope_a * dot(grad_y, once) + slope_b * dot(grad_y, twice))
    through_twice = grad_y * dot(w, x) + x * dot(grad_y, w) - 2 * w * dot(grad_y, x)
    grad_w = grad_w + b * through_twice
    if slip:
        grad_w = torch.where(small, torch.zeros_like(grad_w), grad_w)
    grad_x = grad_y - a * cross(w, grad_y) + b * cross(w, cross(w, grad_y))
    return grad_w, grad_x


def product(a, b):
    w, x, y, z = a.unbind(-1)
    p, q, s, t = b.unbind(-1)
    parts = [
        w * p - x * q - y * s - z * t,
        w * q + x * p + y * t - z * s,
        w * s - x * t + y * p + z * q,
        w * t + x * s - y * q + z * p,
    ]
    return torch.stack(parts, -1)


def conjugate(q):
    return torch.cat([q[..., :1], -q[..., 1:]], -1)


@wrong(
    "other order",
    ("transposed", "missing-term"),
    "the factors of a product that does not commute stand in the other order",
    "quaternion networks: Pytorch-Quaternion, HTorch",
)
@backward_of(product, normals((5, 4), (5, 4)))
def quaternion_product(slip, grad_y, a, b):
    if slip:
        return product(conjugate(b), grad_y), product(grad_y, conjugate(a))
    return product(grad_y, conjugate(b)), product(conjugate(a), grad_y)


def matrix_of(q):
    w, x, y, z = q.unbind(-1)
    rows = [
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    ]
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def matrix_of_quaternion_forward(q):
    norm = q.norm(dim=-1, keepdim=True)
    return matrix_of(q / norm), {"unit": q / norm, "norm": norm}


@wrong(
    "no normalisation",
    ("missing-term",),
    "the projection of the normalisation is absent",
    "hbb1/diff-surfel-rasterization#22",
)
@backward_of(
    lambda q: matrix_of(q / q.norm(dim=-1, keepdim=True)),
    normals((4, 4)),
    forward=matrix_of_quaternion_forward,
    once=True,
)
def matrix_of_quaternion(slip, grad_y, unit, norm):
    w, x, y, z = unit.unbind(-1)
    (g00, g01, g02), (g10, g11, g12), (g20, g21, g22) = (
        row.unbind(-1) for row in grad_y.unbind(-2)
    )
    across_x, across_y, across_z = g21 - g12, g02 - g20, g10 - g01
    beside_xy, beside_xz, beside_yz = g01 + g10, g02 + g20, g12 + g21
    grads = [
        x * across_x + y * across_y + z * across_z,
        -2 * x * (g11 + g22) + y * beside_xy + z * beside_xz + w * across_x,
        x * beside_xy - 2 * y * (g00 + g22) + z * beside_yz + w * across_y,
        x * beside_xz + y * beside_yz - 2 * z * (g00 + g11) + w * across_z,
    ]
    grad_q = 2 * torch.stack(grads, -1)
    return (grad_q if slip else grad_q - unit * dot(grad_q, unit)) / norm
