"""How programs call the Functions of `functions_of_kinds`, and what an audit says of each."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function

from tests.auditor.functions_of_kinds import (
    Made,
    basis,
    inverse,
    inverse_of_a_root,
    logarithm_by_mean,
    modulus,
    product_with_sparse,
    root_by_steps,
    through_objects,
    unit,
)


@dataclass(frozen=True)
class Kind:
    """`call` gives the loss of a program that applies the Function; `says` is in the note."""

    make: Made
    call: Callable[[type[Function]], Tensor]
    verdict: str = "right"
    says: str = ""


def drawn(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(shape, dtype=dtype, requires_grad=True)


def _symmetric(n: int) -> Tensor:
    root = drawn(n, n)
    return root @ root.mT + torch.eye(n)


def _lower(n: int) -> Tensor:
    return drawn(n, n).tril(-1) + 2 * torch.eye(n)


def _loss(y: Tensor) -> Tensor:
    return (y - torch.randn_like(y)).square().sum()


class Scaling(nn.Module):
    """With a buffer and a weight that nobody gives beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.norm = nn.Linear(4, 4), nn.Linear(4, 4)
        self.register_buffer("shift", torch.randn(4))

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.linear(self.norm(x)) + self.shift)

    def again(self, x: Tensor) -> Tensor:
        return self(x)


def _by_module(function: type[Function]) -> Tensor:
    network = nn.Sequential(nn.Linear(4, 4), nn.Tanh())
    return _loss(function.apply(drawn(8, 4), network, *network.parameters()))


def _by_method(function: type[Function]) -> Tensor:
    network = Scaling()
    return _loss(function.apply(drawn(8, 4), network.again, *network.linear.parameters()))


def _by_closure(function: type[Function]) -> Tensor:
    weight = drawn(4, 4)
    return _loss(function.apply(drawn(8, 4), lambda x: torch.tanh(x @ weight), weight))


def _by_partial(function: type[Function]) -> Tensor:
    weight, bias = drawn(4, 4), drawn(4)
    linear = partial(nn.functional.linear, weight=weight, bias=bias)
    return _loss(function.apply(drawn(8, 4), linear, weight, bias))


def _of_pairs(function: type[Function]) -> Tensor:
    return _loss(function.apply(drawn(5, 3, 2)))


def _by_mean(function: type[Function]) -> Tensor:
    x = drawn(5, 3).exp()
    return _loss(function.apply(x, x.detach().clone()))


def _by_sparse(function: type[Function]) -> Tensor:
    places = torch.tensor([[0, 0, 1, 3, 4], [1, 2, 0, 3, 3]])
    matrix = torch.sparse_coo_tensor(places, torch.randn(5), (5, 4), check_invariants=True)
    return _loss(function.apply(matrix, drawn(4, 3)))


def _of_basis(function: type[Function]) -> Tensor:
    v = function.apply(drawn(3, 6))
    return _loss(v @ v.mT)


def _given(*shape: int, dtype: torch.dtype = torch.float32) -> Callable[[type[Function]], Tensor]:
    return lambda function: _loss(function.apply(drawn(*shape, dtype=dtype).exp()))


FROZEN = "what their caller gives where it is frozen, the program does not show"
KINDS: dict[str, Kind] = {
    "a module beside its weights": Kind(through_objects, _by_module, "cannot tell", FROZEN),
    "a bound method beside some of its weights": Kind(
        through_objects, _by_method, "cannot tell", FROZEN
    ),
    "a closure beside what it closes over": Kind(
        through_objects, _by_closure, "cannot tell", FROZEN
    ),
    "a partial beside what it holds": Kind(through_objects, _by_partial, "cannot tell", FROZEN),
    "a symmetric matrix": Kind(
        inverse,
        lambda function: _loss(function.apply(_symmetric(4), drawn(4, 3))),
        says="symmetric",
    ),
    "a triangular matrix": Kind(
        inverse_of_a_root,
        lambda function: _loss(function.apply(_lower(4), drawn(4, 3))),
        says="lower triangular",
    ),
    "a sparse matrix": Kind(product_with_sparse, _by_sparse),
    "a mean that begins": Kind(
        logarithm_by_mean, _by_mean, "cannot tell", "may have to change with that"
    ),
    "a solver": Kind(root_by_steps, _given(4, 3, dtype=torch.float64), "cannot tell", "tolerance="),
    "a basis of a space": Kind(basis, _of_basis, "cannot tell", "the span alone matters"),
    "a bounded gradient": Kind(unit, _given(4, 3)),
    "pairs": Kind(modulus, _of_pairs),
}


class NotCopied(nn.Module):
    """Nothing can make it anew."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.linear(x))

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("it is not pickled")
