"""What every handwritten op shares: how it is called under eager mode, torch.func and compile."""

import inspect
from typing import Any, ClassVar, Self

import torch
from torch import Tensor


class Op(torch.autograd.Function):
    """A `torch.autograd.Function` whose rules are all written in differentiable torch operations.

    A subclass gives `forward`, `setup_context` and `backward`, and `tangent`: the forward-mode
    rule dy = J dx, with one tangent for each input of `forward`. What `setup_context` keeps, it
    keeps with `save`.
    """

    generate_vmap_rule = True
    _with_tangent: ClassVar[type[Self] | None] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # torch binds the inputs of every call to it, and finding it takes a third of a small op.
        if "forward" in cls.__dict__:
            cls.forward.__signature__ = inspect.signature(cls.forward)  # type: ignore[attr-defined]  # any function takes it
        # Dynamo refuses a Function that defines `jvp` (pytorch#118397), and eager forward mode
        # needs one. So `jvp` lives on a twin of the class that compiled code never sees.
        # A subclass that changes one rule needs a twin of its own: its parent's has the old rule.
        if hasattr(cls, "tangent") and "jvp" not in cls.__dict__:
            namespace = {"jvp": staticmethod(cls.tangent), "__module__": cls.__module__}
            cls._with_tangent = type(cls.__name__, (cls,), namespace)

    @classmethod
    def call(cls, *inputs: Any) -> Any:
        """Apply the op to all inputs of `forward`, positionally: Dynamo fills no defaults."""
        if torch.compiler.is_dynamo_compiling() or cls._with_tangent is None:
            return cls.apply(*inputs)
        return cls._with_tangent.apply(*inputs)


def save(ctx: Any, *tensors: Tensor | None) -> None:
    """Keep inputs or outputs for backward and tangent alike, which read them in this order."""
    ctx.save_for_backward(*tensors)
    ctx.save_for_forward(*tensors)


def save_inputs(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:  # noqa: ARG001
    """The `setup_context` of an op whose derivative is written in its inputs, all of them saved."""
    save(ctx, *inputs)


def save_output(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:  # noqa: ARG001
    """The `setup_context` of an op whose derivative is written in its own value."""
    save(ctx, output)
