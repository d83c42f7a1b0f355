"""What every handwritten op shares: how it is called under eager mode, torch.func and compile."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

OF_16_BITS = {torch.bfloat16, torch.float16}


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
        return applied(cls, inputs)


class RoundedOnce(Op):
    """An op that computes in float32 with inputs of 16 bits.

    A formula of several steps is rounded only where it ends, as torch's own kernels are.
    """

    @classmethod
    def call(cls, *inputs: Any) -> Any:
        dtype = dtype_of_16_bits(inputs)
        if dtype is None:
            return applied(cls, inputs)
        wide = tuple(widened(x) if isinstance(x, Tensor) else x for x in inputs)
        return applied(cls, wide).to(dtype)


def give_rules(op: type[Op], rules: Mapping[str, Callable[..., Any]]) -> None:
    """Those that were made for an op, but for what it has of its own.

    They are static methods: Dynamo gives a class method its class twice.
    """
    for name, rule in rules.items():
        if name not in op.__dict__:
            setattr(op, name, staticmethod(rule))


def applied(op: type[Op], inputs: tuple[Any, ...]) -> Any:
    if torch.compiler.is_dynamo_compiling() or op._with_tangent is None:
        return op.apply(*inputs)
    whole = (Undivided(x) if isinstance(x, tuple) else x for x in inputs)
    return op._with_tangent.apply(*whole)


def dtype_of_16_bits(inputs: tuple[Any, ...]) -> torch.dtype | None:
    """That of the floating-point tensors among some inputs, if it has 16 bits and is one."""
    dtypes = {x.dtype for x in inputs if isinstance(x, Tensor) and x.is_floating_point()}
    return dtypes.pop() if len(dtypes) == 1 and dtypes <= OF_16_BITS else None


def widened(x: Tensor) -> Tensor:
    """In float32 at least, as torch's kernels compute with lower dtypes."""
    return x.float() if x.dtype in OF_16_BITS else x


class Undivided(tuple[Any, ...]):
    """A tuple that is one option of an op.

    torch.func takes a tuple apart into its entries, of which it finds none in the None that stands
    for its tangent: forward mode over vmap would fail.
    """

    __slots__ = ()


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
