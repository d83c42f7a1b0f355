"""Affine maps, matrix products, and what linear algebra makes of matrices."""

from torchref.functional.linear.affine import bilinear, homogeneous_linear, linear, matmul
from torchref.functional.linear.algebra import cholesky, inverse, logdet, slogdet, solve

__all__ = [
    "bilinear",
    "cholesky",
    "homogeneous_linear",
    "inverse",
    "linear",
    "logdet",
    "matmul",
    "slogdet",
    "solve",
]
