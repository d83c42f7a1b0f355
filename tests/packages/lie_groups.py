"""Rotations, motions and similarities as matrices, by torch's own functions: references."""

import torch
from torch import Tensor


def hat(w: Tensor) -> Tensor:
    zero = torch.zeros_like(w[..., 0])
    rows = (zero, -w[..., 2], w[..., 1], w[..., 2], zero, -w[..., 0], -w[..., 1], w[..., 0], zero)
    return torch.stack(rows, -1).unflatten(-1, (3, 3))


def rotation(x: Tensor) -> Tensor:
    return torch.matrix_exp(hat(x))


def transform(x: Tensor) -> Tensor:
    """Of se3 and sim3: translation, rotation and, where there is one, the logarithm of a scale."""
    linear = hat(x[..., 3:6])
    if x.shape[-1] == 7:
        linear = linear + x[..., 6, None, None] * torch.eye(3, dtype=x.dtype)
    upper = torch.cat((linear, x[..., :3, None]), -1)
    return torch.matrix_exp(torch.cat((upper, torch.zeros_like(upper[..., :1, :])), -2))


def moved(matrix: Tensor, p: Tensor) -> Tensor:
    return (matrix[..., :3, :3] @ p[..., None])[..., 0] + matrix[..., :3, 3]


def rotated(x: Tensor, p: Tensor) -> Tensor:
    return (rotation(x) @ p[..., None])[..., 0]


def quaternion_to_rotation(q: Tensor) -> Tensor:
    v, w = q[..., :3], q[..., 3, None, None]
    outer = v[..., :, None] * v[..., None, :]
    square = (v * v).sum(-1)[..., None, None]
    return (w * w - square) * torch.eye(3, dtype=q.dtype) + 2 * outer + 2 * w * hat(v)


def perturbed(motion: Tensor) -> Tensor:
    """A motion, moved from the left by what its first six entries are off."""
    at = motion.detach()
    upper = torch.cat((quaternion_to_rotation(at[..., 3:]), at[..., :3, None]), -1)
    last = torch.tensor((0, 0, 0, 1), dtype=motion.dtype).expand_as(upper[..., :1, :])
    return transform((motion - at)[..., :6]) @ torch.cat((upper, last), -2)
