"""kornia: geometry and losses of computer vision."""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Shelf

focal = pytest.importorskip("kornia.losses.focal", reason="kornia is not installed")
essential = pytest.importorskip("kornia.geometry.epipolar.essential")
FUNCTIONS = Shelf("kornia")


def gathered(pred: Tensor, target: Tensor) -> Tensor:
    return pred.log_softmax(1).gather(1, target)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(3, 5, 4, 7), draw.below(5, 3, 1, 4, 7)),
    gathered,
    domain={"target": lambda target: target.shape[1] == 1},
    because="every pixel has one class",
)
def target_log_softmax(pred: Tensor, target: Tensor) -> Tensor:
    return focal._TargetLogSoftmax.apply(pred, target, None)


def complement_of_the_rows(x: Tensor) -> Tensor:
    q = torch.linalg.qr(x.mT).Q
    return torch.eye(x.shape[-1], dtype=x.dtype) - q @ q.mT


@FUNCTIONS.holds(
    lambda draw: (draw.normal(3, 5, 9),),
    complement_of_the_rows,
    domain={"x": lambda x: x.shape[-2:] == (5, 9) and torch.linalg.svdvals(x).min() > 0.05},
    because="five points, whose equations are independent, leave a space of four dimensions",
)
def projection_on_null_space(x: Tensor) -> Tensor:
    basis = essential._NullSpaceBasis.apply(x)[0]
    return basis @ basis.mT
