"""Linear algebra under the signatures of `torch.linalg`, `torch.inverse` and `torch.logdet`.

Matrices are batched in all but the last two dimensions, and are float32 or float64: torch's
factorisations take no others. `out` keeps its place in the signatures and must be None.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from torchref.functional.admission import (
    autocast_off,
    require,
    require_no_out,
    require_real_tensors,
    require_same_kind,
    shape,
    to_float32_under_autocast,
)
from torchref.ops import Cholesky, Inverse, LogDet, Solve


class SignAndLogarithm(NamedTuple):
    """Of a determinant, under torch's names."""

    sign: Tensor
    logabsdet: Tensor


def inverse(input: Tensor, *, out: None = None) -> Tensor:
    """x⁻¹, as `torch.inverse` and `torch.linalg.inv`; see `torchref.ops.Inverse`.

    A singular matrix is torch's `LinAlgError`. Under CPU autocast lower dtypes become float32.

    >>> inverse(torch.tensor([[2.0, 0.0], [1.0, 1.0]]))
    tensor([[ 0.5000,  0.0000],
            [-0.5000,  1.0000]])
    """
    require_no_out("inverse", out)
    x = square_matrices("inverse", "input", to_float32_under_cpu_autocast(input))
    with autocast_off(x):
        return Inverse.call(x)


def solve(A: Tensor, B: Tensor, *, left: bool = True, out: None = None) -> Tensor:  # noqa: N803
    """The X of A X = B, or with left=False of X A = B, as `torch.linalg.solve`; see `ops.Solve`.

    Shapes: A (..., n, n); B (..., n, k), or (..., k, n) with left=False. B is a vector where it is
    (n), or has the batch of A and one entry a row, (..., n). The batches are broadcast.
    A singular matrix is torch's `LinAlgError`. Under CPU autocast lower dtypes become float32.

    >>> solve(torch.tensor([[2.0, 0.0], [1.0, 1.0]]), torch.tensor([2.0, 3.0]))
    tensor([1., 2.])
    """
    require_no_out("solve", out)
    matrix = square_matrices("solve", "A", to_float32_under_cpu_autocast(A))
    (x,) = to_float32_under_autocast(B) if not B.is_cuda else (B,)
    require_real_tensors("solve", B=x)
    require_same_kind("solve", A=matrix, B=x)
    is_vector = x.dim() == 1 or (x.dim() == A.dim() - 1 and x.shape == A.shape[:-1])
    x = x.unsqueeze(-1) if is_vector else x
    require(
        x.dim() >= 2 and x.shape[-2 if left else -1] == A.shape[-1],
        f"solve: B must fit to A as in {'A X' if left else 'X A'} = B",
        f"A has shape {shape(A)} and B {shape(B)}",
        "A vector, or a batch of them as large as that of A, has left=True.",
    )
    require_broadcastable_batches(A, x)
    missing = (1,) * (A.dim() - x.dim())
    with autocast_off(x):
        y = Solve.call(matrix, x.reshape(*missing, *x.shape), left)
    return y.squeeze(-1) if is_vector else y


def cholesky(A: Tensor, *, upper: bool = False, out: None = None) -> Tensor:  # noqa: N803
    """The lower triangular L with L Lᵀ = A, as `torch.linalg.cholesky`; see `ops.Cholesky`.

    It takes the symmetric part of A, where torch reads the lower triangle. With `upper` it is Lᵀ.
    A matrix that is not positive definite is torch's `LinAlgError`. Under CPU autocast lower dtypes
    become float32.

    >>> cholesky(torch.tensor([[4.0, 2.0], [2.0, 10.0]]))
    tensor([[2., 0.],
            [1., 3.]])
    """
    require_no_out("cholesky", out)
    x = square_matrices("cholesky", "A", to_float32_under_cpu_autocast(A))
    with autocast_off(x):
        return Cholesky.call(x, upper)


def slogdet(A: Tensor, *, out: None = None) -> SignAndLogarithm:  # noqa: N803
    """Sign and logarithm of |det A|, as `torch.linalg.slogdet`; see `torchref.ops.LogDet`.

    The sign has no gradient: it is constant between singular matrices, where the logarithm is −∞.

    >>> slogdet(torch.tensor([[0.0, 2.0], [1.0, 0.0]])).logabsdet
    tensor(0.6931)
    """
    require_no_out("slogdet", out)
    x = square_matrices("slogdet", "A", A)
    with autocast_off(x):
        sign = torch.linalg.slogdet(x.detach()).sign
        return SignAndLogarithm(sign, LogDet.call(x))


def logdet(input: Tensor) -> Tensor:
    """ln det x, as `torch.logdet`: NaN where the determinant is negative; see `ops.LogDet`.

    >>> logdet(torch.tensor([[2.0, 0.0], [1.0, 1.0]]))
    tensor(0.6931)
    """
    sign, logarithm = slogdet(square_matrices("logdet", "input", input))
    return torch.where(sign < 0, torch.nan, logarithm)


def to_float32_under_cpu_autocast(x: Tensor) -> Tensor:
    """As torch's factorisations under autocast: in float32 on a CPU, elsewhere as it comes."""
    if not isinstance(x, Tensor) or x.is_cuda:
        return x
    (chosen,) = to_float32_under_autocast(x)
    return chosen


def square_matrices(op: str, name: str, x: Tensor) -> Tensor:
    require_real_tensors(op, **{name: x})
    require(
        x.dim() >= 2 and x.shape[-1] == x.shape[-2],
        f"{op}: {name} must be a square matrix, or a batch of them",
        f"it has shape {shape(x)}",
        "The matrices are the last two dimensions.",
    )
    require(
        x.dtype in (torch.float32, torch.float64),
        f"{op}: {name} must be float32 or float64",
        f"it is {x.dtype}",
        f"Convert it: {name}.float().",
    )
    return x


def require_broadcastable_batches(A: Tensor, B: Tensor) -> None:  # noqa: N803
    pairs = zip(reversed(A.shape[:-2]), reversed(B.shape[:-2]), strict=False)
    require(
        all(mine == its or 1 in (mine, its) for mine, its in pairs),
        "solve: the batches of A and B must be broadcastable",
        f"A has shape {shape(A)} and B {shape(B)}",
        "All dimensions but the last two are those of a batch.",
    )
