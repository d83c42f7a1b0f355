"""kornia: computer vision."""

import pytest
import torch
from torch import Tensor

from tests.packages.published import Shelf

pytest.importorskip("kornia", reason="kornia is not installed")

from kornia.geometry.epipolar.essential import _NullSpaceBasis
from kornia.losses.focal import _TargetLogSoftmax

FUNCTIONS = Shelf("kornia")


@FUNCTIONS.holds(
    lambda draw: (draw.normal(2, 5, 3), draw.below(5, 2, 3)),
    lambda logits, target: logits.log_softmax(1).gather(1, target[:, None]),
)
def log_softmax_at_target(logits: Tensor, target: Tensor) -> Tensor:
    return _TargetLogSoftmax.apply(logits, target[:, None], None)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(2, 5, 3), draw.below(5, 2, 3), draw.below(2, 2, 1, 3) == 0),
    dtype=torch.float64,
)
def log_softmax_where_valid(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    return _TargetLogSoftmax.apply(logits, target[:, None], valid)


def projection(points: Tensor) -> Tensor:
    return torch.eye(9, dtype=points.dtype) - torch.linalg.pinv(points) @ points


def independent(points: Tensor) -> bool:
    return points.shape[1:] == (5, 9) and bool(torch.linalg.svdvals(points).min() > 1e-3)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(2, 5, 9),),
    projection,
    domain={"points": independent},
    because="five points in general position",
)
def null_space(points: Tensor) -> Tensor:
    basis = _NullSpaceBasis.apply(points)[0]
    return basis @ basis.mT
