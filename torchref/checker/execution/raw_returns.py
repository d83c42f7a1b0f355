"""What `backward` really returned, before autograd sums, casts and fills it into place."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.graph import Node

from torchref.checker.execution.subject import argument_name, function_argument_names
from torchref.checker.execution.tape import dense, nodes_behind


@dataclass(frozen=True)
class Expected:
    """The shape, dtype and device of an input of a Function that requires grad.

    `leaf` is the id of the tensor where the input is a leaf of the graph.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    device: torch.device
    leaf: int | None = None


@dataclass(frozen=True)
class RawReturn:
    """One call of a backward: the arguments of its forward and what it returned for each.

    `expected` has None where an input has no gradient to receive. `identities` are the ids of the
    tensors returned, `incoming` the memory of the grad_outputs.
    """

    function: type[Function]
    expected: tuple[Expected | None, ...]
    returned: tuple[Any, ...]
    identities: tuple[int, ...]
    incoming: frozenset[int]

    def name(self, place: int) -> str:
        return argument_name(place, function_argument_names(self.function))


def custom_nodes(outputs: Sequence[Tensor]) -> list[Node]:
    """The nodes of Python Functions in the graph behind the outputs."""
    return [node for node in nodes_behind(outputs) if hasattr(node, "_forward_cls")]


def function_of(node: Node) -> type[Function]:
    """The Function class whose backward a node runs."""
    function: type[Function] = node._forward_cls  # type: ignore[attr-defined]  # torch sets it
    return function


def custom_functions(outputs: Sequence[Tensor]) -> frozenset[type[Function]]:
    """The Python Functions behind the outputs."""
    return frozenset(function_of(node) for node in custom_nodes(outputs))


@contextmanager
def recording(outputs: Sequence[Tensor]) -> Iterator[list[RawReturn]]:
    """While open, every backward of a Function behind the outputs leaves its raw returns here."""
    returns: list[RawReturn] = []
    with ExitStack() as stack:
        for function in custom_functions(outputs):
            stack.enter_context(_recorded(function, returns))
        yield returns


@contextmanager
def _recorded(function: type[Function], returns: list[RawReturn]) -> Iterator[None]:
    own = vars(function).get("backward")  # None where it is inherited
    backward = function.backward

    def record(ctx: Any, *grads: Any) -> Any:
        raw = backward(ctx, *grads)
        returned = raw if isinstance(raw, tuple | list) else (raw,)
        # Inputs that are no tensors have no edge; those that need a gradient all have one.
        edges = (edge for edge in ctx.next_functions if edge[0] is not None)
        expected = tuple(_expected(*next(edges)) if need else None for need in ctx.needs_input_grad)
        kept = tuple(dense(g.detach()) if isinstance(g, Tensor) else g for g in returned)
        memory = frozenset(g.untyped_storage().data_ptr() for g in grads if g is not None)
        ids = tuple(map(id, returned))
        returns.append(RawReturn(function, expected, kept, ids, memory))
        return raw

    setattr(function, "backward", staticmethod(record))  # noqa: B010 (mypy sees a method)
    try:
        yield
    finally:
        if own is None:
            del function.backward
        else:
            setattr(function, "backward", own)  # noqa: B010 - mypy sees a method


def _expected(node: Node, place: int) -> Expected:
    metadata = node._input_metadata[place]
    leaf = id(node.variable) if hasattr(node, "variable") else None
    return Expected(tuple(metadata.shape), metadata.dtype, metadata.device, leaf)
