"""Linear algebra: what is behind an equation, an inverse, a factor and a determinant."""

from torchref.ops.linear_algebra.cholesky import Cholesky
from torchref.ops.linear_algebra.cholesky_steps import cholesky_steps
from torchref.ops.linear_algebra.inverse import Inverse
from torchref.ops.linear_algebra.log_determinant import LogDet
from torchref.ops.linear_algebra.solve import Solve

__all__ = ["Cholesky", "Inverse", "LogDet", "Solve", "cholesky_steps"]
