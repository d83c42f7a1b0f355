"""pypose: Lie groups of rotations, rigid motions and similarities.

Gradients on a group are coordinates of its tangent space, padded by zero. A call that starts in the
algebra and ends in points has an ordinary gradient.
"""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Shelf

pp = pytest.importorskip("pypose", reason="pypose is not installed")
FUNCTIONS = Shelf("pypose")

SERIES = "the Jacobian of a similarity is a series to the fifth order"


def small(x: Tensor) -> Tensor:
    return x.norm(dim=-1) < 1


def less_than_half_a_turn(x: Tensor) -> Tensor:
    return x[..., -3:].norm(dim=-1) < 3


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


@FUNCTIONS.holds(lambda draw: (draw.normal(4, 3), draw.normal(4, 3)), rotated)
def rotate(x: Tensor, p: Tensor) -> Tensor:
    return pp.so3(x).Exp().Act(p)


@FUNCTIONS.holds(lambda draw: (draw.normal(4, 3), draw.normal(4, 4)), dtype=torch.float64)
def rotate_homogeneous(x: Tensor, p: Tensor) -> Tensor:
    return pp.so3(x).Exp().Act(p)


@FUNCTIONS.holds(
    lambda draw: (draw.between(-1, 1, 4, 3),),
    lambda x: x.clone(),
    domain={"x": less_than_half_a_turn},
    because="the logarithm is the turn of less than half",
)
def rotation_log(x: Tensor) -> Tensor:
    return pp.so3(x).Exp().Log().tensor()


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 3), draw.normal(4, 3)), lambda x, y: rotation(x) @ rotation(y)
)
def rotation_product(x: Tensor, y: Tensor) -> Tensor:
    return (pp.so3(x).Exp() * pp.so3(y).Exp()).matrix()


@FUNCTIONS.holds(lambda draw: (draw.normal(4, 3), draw.normal(4, 3)), dtype=torch.float64)
def rotation_inverse(x: Tensor, p: Tensor) -> Tensor:
    return pp.so3(x).Exp().Inv().Act(p)


@FUNCTIONS.holds(lambda draw: (draw.normal(4, 3), draw.normal(4, 3)), rotated)
def rotation_adjoint(x: Tensor, a: Tensor) -> Tensor:
    return pp.so3(x).Exp().Adj(pp.so3(a)).tensor()


@FUNCTIONS.holds(lambda draw: (draw.normal(4, 3), draw.normal(4, 3)))
def rotation_adjoint_transposed(x: Tensor, a: Tensor) -> Tensor:
    return pp.so3(x).Exp().AdjT(pp.so3(a)).tensor()


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 6), draw.normal(4, 3)), lambda x, p: moved(transform(x), p)
)
def move(x: Tensor, p: Tensor) -> Tensor:
    return pp.se3(x).Exp().Act(p)


@FUNCTIONS.holds(lambda draw: (draw.normal(4, 6), draw.normal(4, 4)), dtype=torch.float64)
def move_homogeneous(x: Tensor, p: Tensor) -> Tensor:
    return pp.se3(x).Exp().Act(p)


@FUNCTIONS.holds(
    lambda draw: (draw.between(-1, 1, 4, 6),),
    domain={"x": less_than_half_a_turn},
    because="the logarithm is the turn of less than half",
)
def motion_log(x: Tensor) -> Tensor:
    return pp.se3(x).Exp().Log().tensor()


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 6), draw.normal(4, 6)), lambda x, y: transform(x) @ transform(y)
)
def motion_product(x: Tensor, y: Tensor) -> Tensor:
    return (pp.se3(x).Exp() * pp.se3(y).Exp()).matrix()


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 6), draw.normal(4, 3)),
    lambda x, p: moved(torch.linalg.inv(transform(x)), p),
)
def motion_inverse(x: Tensor, p: Tensor) -> Tensor:
    return pp.se3(x).Exp().Inv().Act(p)


@FUNCTIONS.holds(lambda draw: (draw.normal(4, 6), draw.normal(4, 6)), dtype=torch.float64)
def motion_adjoint(x: Tensor, a: Tensor) -> Tensor:
    return pp.se3(x).Exp().Adj(pp.se3(a)).tensor()


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 6), draw.normal(4, 6)),
    right=False,
    because="both gradients take the matrix of the adjoint for that of its transpose",
)
def motion_adjoint_transposed(x: Tensor, a: Tensor) -> Tensor:
    return pp.se3(x).Exp().AdjT(pp.se3(a)).tensor()


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


def unit(motion: Tensor) -> Tensor:
    return (motion[..., 3:7].norm(dim=-1) - 1).abs() < 1e-5


TANGENT = "the gradient of a motion is that of moving it from the left"


@FUNCTIONS.holds(
    lambda draw: (pp.se3(draw.normal(4, 6)).Exp().tensor(), draw.normal(4, 3)),
    surrogate=lambda motion, p: moved(perturbed(motion), p),
    domain={"motion": unit},
    because=TANGENT,
)
def act_by_seven(motion: Tensor, p: Tensor) -> Tensor:
    return pp.SE3(motion).Act(p)


@FUNCTIONS.holds(
    lambda draw: (pp.se3(draw.normal(4, 6)).Exp().tensor(), draw.normal(4, 3)),
    lambda motion, p: moved(perturbed(motion), p),
    wrt=("p",),
    domain={"motion": unit},
    because="only points are learnt",
)
def act_on_points(motion: Tensor, p: Tensor) -> Tensor:
    return pp.SE3(motion) @ p


@FUNCTIONS.holds(
    lambda draw: (draw.between(-0.4, 0.4, 4, 7), draw.normal(4, 3)),
    lambda x, p: moved(transform(x), p),
    dtype=torch.float64,
    domain={"x": small},
    tolerance=1e-3,
    because=SERIES,
)
def resize(x: Tensor, p: Tensor) -> Tensor:
    return pp.sim3(x).Exp().Act(p)


@FUNCTIONS.holds(
    lambda draw: (draw.between(-0.4, 0.4, 4, 7),),
    dtype=torch.float64,
    domain={"x": small},
    tolerance=1e-3,
    because=SERIES,
)
def similarity_log(x: Tensor) -> Tensor:
    return pp.sim3(x).Exp().Log().tensor()


@FUNCTIONS.holds(
    lambda draw: (draw.between(-0.4, 0.4, 4, 7), draw.between(-0.4, 0.4, 4, 7)),
    lambda x, y: transform(x) @ transform(y),
    domain={"x": small, "y": small},
    tolerance=1e-3,
    because=SERIES,
)
def similarity_product(x: Tensor, y: Tensor) -> Tensor:
    return (pp.sim3(x).Exp() * pp.sim3(y).Exp()).matrix()


@FUNCTIONS.holds(
    lambda draw: (draw.between(-0.4, 0.4, 4, 7), draw.normal(4, 3)),
    domain={"x": small},
    tolerance=1e-3,
    because=SERIES,
)
def similarity_inverse(x: Tensor, p: Tensor) -> Tensor:
    return pp.sim3(x).Exp().Inv().Act(p)


@FUNCTIONS.holds(
    lambda draw: (draw.between(-0.4, 0.4, 4, 7), draw.normal(4, 7)),
    domain={"x": small},
    tolerance=1e-3,
    because=SERIES,
)
def similarity_adjoint(x: Tensor, a: Tensor) -> Tensor:
    return pp.sim3(x).Exp().Adj(pp.sim3(a)).tensor()


@FUNCTIONS.holds(
    lambda draw: (draw.normal(4, 4), draw.normal(4, 3)),
    lambda x, p: x[..., 3:].exp() * rotated(x[..., :3], p),
)
def rotate_and_resize(x: Tensor, p: Tensor) -> Tensor:
    return pp.rxso3(x).Exp().Act(p)


@FUNCTIONS.holds(lambda draw: (draw.normal(4, 4), draw.normal(4, 4), draw.normal(4, 3)))
def rotated_and_resized_twice(x: Tensor, y: Tensor, p: Tensor) -> Tensor:
    return (pp.rxso3(x).Exp() * pp.rxso3(y).Exp().Inv()).Act(p)
