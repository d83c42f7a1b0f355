"""Linear algebra beside torch's: every kind of right-hand side, and what is refused."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, ones

import torchref.functional as R
from tests.functional.refusals import assert_refused, each_of
from tests.functional.side_by_side import assert_same, normal, value_and_gradients
from tests.ops.catalogue_cases import TORCH_MAKES_INSTANCES
from tests.random_inputs import seeded
from torchref.catalogue.linear_algebra import positive_definite, regular
from torchref.errors import InputError


def matrices(*shape: int) -> Tensor:
    return regular(seeded(0), *shape)


def torchs_logabsdet(x: Tensor) -> Tensor:
    return torch.linalg.slogdet(x).logabsdet


def logabsdet(x: Tensor) -> Tensor:
    return R.slogdet(x).logabsdet


OF_A_MATRIX: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "inverse": (R.inverse, torch.inverse),
    "logdet": (R.logdet, torch.logdet),
    "slogdet": (logabsdet, torchs_logabsdet),
    "cholesky": (R.cholesky, torch.linalg.cholesky),
    "cholesky upper": (
        lambda x: R.cholesky(x, upper=True),
        lambda x: torch.linalg.cholesky(x, upper=True),
    ),
}


@pytest.mark.parametrize("shape", [(3, 3), (1, 1), (2, 3, 3), (2, 0, 3, 3), (0, 0)], ids=str)
@pytest.mark.parametrize("name", OF_A_MATRIX)
def test_it_is_torchs(name: str, shape: tuple[int, ...]) -> None:
    x = positive_definite(seeded(0), *shape)
    mine, torchs = OF_A_MATRIX[name]
    assert_same(value_and_gradients(mine, x), value_and_gradients(torchs, x))


EQUATIONS = [  # of A, of B, and left
    ((3, 3), (3,), True),
    ((3, 3), (3, 4), True),
    ((3, 3), (4, 3), False),
    ((2, 3, 3), (3,), True),
    ((2, 3, 3), (2, 3), True),
    ((3, 3, 3), (3, 3), True),  # a batch of vectors, and not a matrix
    ((2, 3, 3), (3, 4), True),
    ((2, 3, 3), (1, 3), False),
    ((3, 3), (2, 3, 4), True),
    ((2, 1, 3, 3), (5, 3, 4), True),
    ((3, 3), (3, 0), True),
    ((0, 3, 3), (0, 3, 4), True),
]


@pytest.mark.parametrize(("of_a", "of_b", "left"), EQUATIONS, ids=str)
def test_solve_is_torchs(of_a: tuple[int, ...], of_b: tuple[int, ...], left: bool) -> None:
    given = matrices(*of_a), normal(1, *of_b)
    mine, torchs = (
        value_and_gradients(solve, *given, left=left) for solve in (R.solve, torch.linalg.solve)
    )
    assert_same(mine, torchs)


@pytest.mark.parametrize("name", ["inverse", "cholesky", "slogdet"])
def test_the_second_order_is_torchs(name: str) -> None:
    x = positive_definite(seeded(0), 3, 3)

    def slope(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        y = function((x + x.mT) / 2)
        return torch.autograd.grad(y, x, normal(5, *y.shape), create_graph=True)[0]

    mine, torchs = (
        value_and_gradients(lambda x, f=function: slope(f, x), x) for function in OF_A_MATRIX[name]
    )
    assert_same(mine, torchs)


def test_a_negative_determinant_has_no_logarithm_as_torchs() -> None:
    x = matrices(2, 3, 3)
    x[0] = x[0, [1, 0, 2]]
    mine, torchs = (value_and_gradients(f, x) for f in (R.logdet, torch.logdet))
    assert mine[0].isnan().tolist() == [True, False]
    assert_same(mine, torchs)
    sign, logarithm = R.slogdet(x)
    torch.testing.assert_close((sign, logarithm), tuple(torch.linalg.slogdet(x)))


@pytest.mark.parametrize("name", ["solve", "slogdet", "cholesky"])
def test_the_signature_is_torchs(name: str) -> None:
    written = getattr(torch.linalg, name).__doc__.strip().splitlines()[0].split(" ->")[0]
    scope: dict[str, Any] = {}
    exec(f"def {written.removeprefix('linalg.')}: pass", scope)
    mine, its = (inspect.signature(f).parameters for f in (getattr(R, name), scope[name]))
    assert [(p.name, p.kind, p.default) for p in mine.values()] == [
        (p.name, p.kind, p.default) for p in its.values()
    ]


NAMES = ("inverse", "solve", "cholesky", "logdet", "slogdet")


def called(library: Any, name: str, x: Tensor) -> Tensor:
    y = getattr(library, name)(*(x, x[..., 0]) if name == "solve" else (x,))
    return y if isinstance(y, Tensor) else y[1]


@pytest.mark.parametrize("arrive", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("autocasts", [True, False])
def test_dtypes_are_torchs(name: str, arrive: torch.dtype, autocasts: bool) -> None:
    """The determinants have no autocast of their own, and the others none for float64."""
    x = positive_definite(seeded(0), 3, 3).to(arrive)
    torchs = torch if name in ("inverse", "logdet") else torch.linalg
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocasts):
        try:
            expected = called(torchs, name, x).dtype
        except RuntimeError:  # of a dtype that has no factorisation
            with pytest.raises(InputError, match="must be float32 or float64"):
                called(R, name, x)
        else:
            assert called(R, name, x).dtype == expected


@pytest.mark.filterwarnings(TORCH_MAKES_INSTANCES)
@pytest.mark.parametrize("name", NAMES)
def test_it_compiles_in_one_graph(name: str) -> None:
    x = positive_definite(seeded(0), 2, 3, 3)

    def function(x: Tensor) -> Tensor:
        return called(R, name, x)

    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    assert_same(value_and_gradients(compiled, x), value_and_gradients(function, x))
    torch.compiler.reset()


REFUSED = {
    "a vector": (lambda: R.inverse(ones(3)), ("inverse: input must be a square matrix", "(3,)")),
    "no square": (lambda: R.logdet(ones(2, 3)), ("logdet: input must be a square matrix",)),
    "integers": (
        lambda: R.cholesky(torch.eye(3).long()),
        ("cholesky: A must be a real floating-point tensor", "torch.int64"),
    ),
    "a list": (lambda: R.inverse([[1.0]]), ("inverse: input must be a tensor", "a list arrived")),
    "an out": (lambda: R.inverse(ones(1, 1), out=ones(1, 1)), ("inverse: out must be None",)),
    "other rows": (
        lambda: R.solve(torch.eye(3), ones(2, 3)),
        ("solve: B must fit to A as in A X = B", "(2, 3)"),
    ),
    "a vector on the right": (
        lambda: R.solve(torch.eye(3), ones(3), left=False),
        ("solve: B must fit to A as in X A = B", "left=True"),
    ),
    "other batches": (
        lambda: R.solve(torch.eye(3).expand(2, 3, 3), ones(5, 3, 4)),
        ("solve: the batches of A and B must be broadcastable",),
    ),
    "other dtypes": (
        lambda: R.solve(torch.eye(3), ones(3).double()),
        ("solve: A and B must have the same dtype",),
    ),
}


@each_of(REFUSED)
def test_what_does_not_fit_is_refused(call: Callable[[], Tensor], words: tuple[str, ...]) -> None:
    assert_refused(call, words)


def test_a_singular_matrix_is_torchs_error() -> None:
    for function in (R.inverse, R.cholesky, lambda x: R.solve(x, x)):
        with pytest.raises(torch.linalg.LinAlgError):
            function(torch.zeros(2, 2))
