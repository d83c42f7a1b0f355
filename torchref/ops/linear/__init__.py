"""Maps that are linear in each of their arguments."""

from torchref.ops.linear.affine import Affine, HomogeneousAffine
from torchref.ops.linear.bilinear import Bilinear
from torchref.ops.linear.matmul import MatMul

__all__ = ["Affine", "Bilinear", "HomogeneousAffine", "MatMul"]
