"""pypose: Lie groups of rotations, rigid motions and similarities.

Gradients on a group are coordinates of its tangent space, padded by zero. A call that starts in the
algebra and ends in points has an ordinary gradient.
"""

import pytest
import torch
from torch import Tensor

from tests.packages.lie_groups import moved, perturbed, rotated, rotation, transform
from tests.packages.published import Draw, Inputs, Shelf

pp = pytest.importorskip("pypose", reason="pypose is not installed")
FUNCTIONS = Shelf("pypose")

SERIES = "the Jacobian of a similarity is a series to the fifth order"
TRANSPOSED = (
    "the gradient of a is the adjoint of grad_output, where it is the transposed adjoint of \
the inverse; the two are one for rotations alone, and the gradient of the motion is made of it"
)
LARGE = "the Jacobian of a similarity is a series cut after the fifth order: at the arguments that \
randn_sim3 draws the gradient is off by more than 1 % in one of ten, by half in a few"
LARGE_LOG = "the inverse Jacobian of a similarity is a series cut after the fourth order: the \
gradient is off by 5 % where the logarithm has the norm 3"
SLIGHT = "the Jacobian of a motion has differences as θ² + 2 cos θ − 2 divided by θ⁴: for turns of \
1e-7 to 2e-6 rad float32 loses all their digits, and the gradient is off by 1 to 200 %"


def small(x: Tensor) -> Tensor:
    return x.norm(dim=-1) < 1


def less_than_half_a_turn(x: Tensor) -> Tensor:
    return x[..., -3:].norm(dim=-1) < 3


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
    culprit="SE3_AdjTXa",
    because=TRANSPOSED,
)
def motion_adjoint_transposed(x: Tensor, a: Tensor) -> Tensor:
    return pp.se3(x).Exp().AdjT(pp.se3(a)).tensor()


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


def drawn_similarity(draw: Draw) -> Inputs:
    x = draw.normal(4, 7)
    return 3 * x / x.norm(dim=-1, keepdim=True), draw.normal(4, 3)


@FUNCTIONS.holds(
    drawn_similarity,
    lambda x, p: moved(transform(x), p),
    dtype=torch.float64,
    domain={"x": lambda x: x.norm(dim=-1) < 4},
    right=False,
    culprit="sim3_Exp",
    because=LARGE,
)
def resize_and_turn_far(x: Tensor, p: Tensor) -> Tensor:
    return pp.sim3(x).Exp().Act(p)


FAR = torch.tensor((0.9, -0.7, 0.8, 1.2, -1.4, 1.6, 0.7), dtype=torch.float64)


@FUNCTIONS.holds(
    lambda draw: (draw.between(-0.1, 0.1, 4, 7),),
    dtype=torch.float64,
    domain={"x": lambda x: x.norm(dim=-1) < 0.5},
    right=False,
    culprit="Sim3_Log",
    because=LARGE_LOG,
)
def similarity_log_of_a_far_turn(x: Tensor) -> Tensor:
    far = pp.sim3(FAR.to(x.dtype).expand_as(x)).Exp()
    return (pp.sim3(x).Exp() * far).Log().tensor()


@FUNCTIONS.holds(
    lambda draw: (draw.between(-0.4, 0.4, 4, 7), draw.normal(4, 7)),
    domain={"x": small},
    right=False,
    culprit="Sim3_AdjTXa",
    because=TRANSPOSED,
)
def similarity_adjoint_transposed(x: Tensor, a: Tensor) -> Tensor:
    return pp.sim3(x).Exp().AdjT(pp.sim3(a)).tensor()


def slightly_turned(draw: Draw) -> Tensor:
    turn = draw.normal(4, 3)
    return torch.cat((draw.normal(4, 3), 2e-7 * turn / turn.norm(dim=-1, keepdim=True)), -1)


@FUNCTIONS.holds(
    lambda draw: (slightly_turned(draw), draw.normal(4, 3)),
    lambda x, p: moved(transform(x), p),
    vary=False,
    precision="native",
    right=False,
    culprit="se3_Exp",
    because=SLIGHT,
)
def move_with_a_slight_turn(x: Tensor, p: Tensor) -> Tensor:
    return pp.se3(x).Exp().Act(p)


@FUNCTIONS.holds(
    lambda draw: (torch.zeros(4, 6, dtype=draw.dtype), slightly_turned(draw)),
    wrt=("x",),
    vary=False,
    precision="native",
    right=False,
    culprit="SE3_Log",
    because=SLIGHT,
)
def motion_log_of_a_slight_turn(x: Tensor, motion: Tensor) -> Tensor:
    return (pp.se3(x).Exp() * pp.se3(motion).Exp()).Log().tensor()
