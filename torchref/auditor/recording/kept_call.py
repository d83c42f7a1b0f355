"""One call of a Function as it was: copies of its tensors, and the cotangents that arrived."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import ref

import torch
from torch import Tensor
from torch.autograd import Function
from torch.utils import _pytree as pytree

from torchref.auditor.recording.definition import arguments_of, custom_op_of
from torchref.auditor.recording.random_state import RandomState

Signature = tuple[Any, ...]
PLAIN = (int, float, complex, bool, str, bytes, type(None), torch.dtype, torch.device, torch.Size)


class NotKeptError(Exception):
    """A call that cannot be kept; the message says why."""


@dataclass(eq=False)
class KeptCall:
    """The arguments of a call before its forward, and what came to its backward.

    `requires_grad` says of each leaf of the arguments whether the call differentiates it;
    `cotangents` are those of the first backward, None where none has run, and None among them
    where an output took no part. `drew` says whether the forward has drawn random numbers.
    `origins` lead to the program's own tensors, of which the arguments have copies.
    """

    function: type[Function]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    requires_grad: tuple[bool, ...]
    random: RandomState
    autocast: torch.dtype | None
    bytes: int
    mark: Signature = ()
    drew: bool = False
    cotangents: tuple[Tensor | None, ...] | None = None
    origins: tuple["ref[Tensor] | None", ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        """For another process, in which the program's tensors are not."""
        return {**vars(self), "origins": ()}

    @property
    def leaves(self) -> list[Any]:
        """The arguments as they were, flat, as `requires_grad` has them."""
        return pytree.tree_leaves((self.args, self.kwargs))

    @property
    def originals(self) -> list[Tensor | None]:
        """The program's tensor behind each leaf, as long as the program keeps it."""
        return [None if origin is None else origin() for origin in self.origins]

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Of the tensors among the arguments."""
        return tuple(tuple(x.shape) for x in self.leaves if isinstance(x, Tensor))

    @property
    def setting(self) -> Signature:
        """What decides, beside shapes and strides, which computation it is."""
        leaves, spec = pytree.tree_flatten((self.args, self.kwargs))
        kinds = tuple(x.dtype if isinstance(x, Tensor) else _value(x) for x in leaves)
        return self.function, str(spec), self.requires_grad, kinds


def signature(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Signature:
    """What two calls have in common that are worth keeping once."""
    return tuple(map(_mark, args)), tuple((name, _mark(x)) for name, x in kwargs.items())


def _mark(x: Any) -> Any:
    if isinstance(x, Tensor):
        strides = x.stride() if x.layout is torch.strided else None
        return x.shape, x.dtype, strides, x.requires_grad, x.device
    if isinstance(x, list | tuple) and type(x) is not torch.Size:
        return tuple(map(_mark, x))
    return _value(x)


def _value(x: Any) -> Any:
    return (type(x), x) if isinstance(x, PLAIN) else type(x)


def keep(
    function: type[Function], args: tuple[Any, ...], kwargs: Mapping[str, Any], room: int
) -> KeptCall:
    """The call with copies of its tensors, made before its forward may write into them.

    Raises `NotKeptError` where they take more bytes than `room`, or are no ordinary tensors.
    """
    args, given = arguments_of(function, args, kwargs)
    raw, spec = pytree.tree_flatten((args, given))
    leaves = [_unwrapped(x) if isinstance(x, Tensor) else x for x in raw]
    tensors = [x for x in leaves if isinstance(x, Tensor)]
    size = sum(map(bytes_of, tensors))
    if size > room:
        raise NotKeptError("its tensors are larger than memory= leaves room for")
    is_op = custom_op_of(function) is not None
    direct = {id(x) for x in (raw if is_op else (*args, *given.values()))}
    requires_grad = tuple(
        isinstance(x, Tensor) and x.requires_grad and id(x) in direct for x in raw
    )
    devices = {x.device for x in tensors}
    args, given = pytree.tree_unflatten(
        [copied(x) if isinstance(x, Tensor) else x for x in leaves], spec
    )
    origins = tuple(ref(x) if isinstance(x, Tensor) else None for x in raw)
    state, autocast = RandomState.read(devices), _autocast(devices)
    return KeptCall(function, args, given, requires_grad, state, autocast, size, origins=origins)


def _unwrapped(x: Tensor) -> Tensor:
    """The tensor of numbers behind one that a transform of torch.func differentiates."""
    while torch._C._functorch.is_functorch_wrapped_tensor(x):
        if not torch._C._functorch.is_gradtrackingtensor(x):
            raise NotKeptError("it was applied inside vmap, to many inputs at once")
        x = torch._C._functorch.get_unwrapped(x)
    if x.is_meta or type(x).__torch_dispatch__ is not Tensor.__torch_dispatch__:
        what = "tensors without numbers" if x.is_meta else f"a {type(x).__name__}"
        raise NotKeptError(f"it was given {what}")
    return x


def copied(x: Tensor) -> Tensor:
    """A copy of the numbers with the same strides, whatever of its memory they share.

    >>> copied(torch.ones(1).expand(3)).stride()
    (0,)
    """
    x = x.detach()
    if x.is_conj():
        return copied(x.conj()).conj()
    if x.layout is not torch.strided or x.is_contiguous():
        return x.clone()
    memory = x.as_strided((_extent(x),), (1,)).clone()
    return memory.as_strided(x.shape, x.stride(), 0)


def bytes_of(x: Tensor) -> int:
    """What a copy of it takes."""
    spans = x.layout is torch.strided and not x.is_contiguous()
    return (_extent(x) if spans else x.numel()) * x.element_size()


def _extent(x: Tensor) -> int:
    """How many elements lie from its first to its last."""
    reach = sum((n - 1) * stride for n, stride in zip(x.shape, x.stride(), strict=True))
    return 0 if x.numel() == 0 else 1 + reach


def _autocast(devices: set[torch.device]) -> torch.dtype | None:
    """The precision that autocast had, where it was on."""
    kinds = [at.type for at in devices if at.type in ("cpu", "cuda")]
    on = [torch.get_autocast_dtype(kind) for kind in kinds if torch.is_autocast_enabled(kind)]
    return on[0] if on else None
