"""An op under test: how it is called, at which inputs, and its cross-check, made once."""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch._library.custom_ops import CustomOpDef
from torch.autograd import Function
from torch.utils import _pytree as pytree

from torchref.catalogue.op_case import Inputs, OpCase
from torchref.checker import Report, crosscheck
from torchref.checker.execution.arithmetic import is_differentiable
from torchref.errors import InputError
from torchref.ops import Op

OF_TORCH_LIBRARY = (CustomOpDef, torch._ops.OpOverload, torch._ops.OpOverloadPacket)


class CheckedOp:
    """The op of a case, and what its claims share."""

    def __init__(self, case: OpCase, seed: int) -> None:
        self.case = case
        self.seed = seed

    @property
    def is_custom_op(self) -> bool:
        return isinstance(self.case.op, OF_TORCH_LIBRARY)

    @property
    def call(self) -> Callable[..., Any]:
        """The op as a plain function, which `torch.compile` can trace."""
        op = self.case.op
        if not (isinstance(op, type) and issubclass(op, Function)):
            return lambda *inputs: op(*inputs)
        apply = op.call if issubclass(op, Op) else op.apply
        return lambda *inputs: apply(*inputs)

    @property
    def samples(self) -> tuple[Inputs, ...]:
        return self.case.samples(torch.Generator().manual_seed(self.seed))

    @cached_property
    def report(self) -> Report:
        drawn = self.case.inputs(self.seed)
        if not drawn:
            raise InputError(
                "samples= must draw inputs to call the op on",
                f"those of {self.case.name} drew none",
                "Return a tuple of tuples of arguments: lambda g: ((normal(g, 4, 3),),).",
            )
        options = {"seed": self.seed, **self.case.options}
        return crosscheck(
            self.case.op,
            self.case.twin,
            drawn[0],
            samples=drawn[1:],
            order=self.case.order,
            **options,
        )


def leaves_of(inputs: Inputs) -> Inputs:
    """Inputs that require grad where they can, each a leaf with the layout it had."""
    return tuple(
        x.detach().requires_grad_() if isinstance(x, Tensor) and is_differentiable(x) else x
        for x in inputs
    )


def results(function: Any, inputs: Inputs, seed: int) -> tuple[Tensor, ...]:
    """What a function returns, and its gradients for random cotangents."""
    leaves = leaves_of(inputs)
    outputs = tuple(_tensors(function(*leaves)))
    weighed = [y for y in outputs if y.requires_grad]
    generator = torch.Generator().manual_seed(seed)
    cotangents = [
        torch.randn(y.shape, generator=generator, dtype=torch.float64).to(y.device, y.dtype)
        for y in weighed
    ]
    wanted = [x for x in _tensors(leaves) if x.requires_grad]
    found = torch.autograd.grad(weighed, wanted, cotangents, materialize_grads=True)
    return tuple(y.detach() for y in (*outputs, *found))


def _tensors(structure: Any) -> Iterator[Tensor]:
    return (x for x in pytree.tree_leaves(structure) if isinstance(x, Tensor))
