"""Every application of a `torch.autograd.Function` in this process, seen as it happens."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FunctionType
from typing import Any

from torch.autograd import Function

Apply = Callable[..., Any]
Around = Callable[..., Any]  # of the class, what applies it, and the arguments

_method = Function.apply.__func__  # type: ignore[attr-defined]  # of a bound method
_apply = FunctionType(
    _method.__code__, _method.__globals__, _method.__name__, closure=_method.__closure__
)
_around: list[Around] = []


@contextmanager
def intercept(around: Around) -> Iterator[None]:
    """While it lasts, what applies a Function calls `around(function, apply, *args, **kwargs)`.

    `apply(*args, **kwargs)` applies it; what `around` returns is what the caller receives. This
    holds in all threads, and where `.apply` was kept under another name before. What
    `torch.compile` has traced, and no longer calls, is not seen.

    The code of `Function.apply` is exchanged and not the attribute, because programs hold the bound
    method: `swish = Swish.apply` is how torch's own manual writes it.

    >>> import torch
    >>> from torchref.ops import Sigmoid
    >>> def tell(function, apply, *args):
    ...     print(function.__name__, [tuple(x.shape) for x in args])
    ...     return apply(*args)
    >>> with intercept(tell):
    ...     y = Sigmoid.apply(torch.zeros(3, 2))
    Sigmoid [(3, 2)]
    """
    _around.append(around)
    _method.__code__ = _watched
    try:
        yield
    finally:
        _around.remove(around)
        if not _around:
            _method.__code__ = _apply.__code__


class _Entrance:
    def apply(cls: type[Function], *args: Any, **kwargs: Any) -> Any:  # type: ignore[misc]  # noqa: N805
        """Stands in for `Function.apply`, among the names of torch's own module."""
        from torchref.auditor.interception import pass_on

        # torch's has this closure, and whoever reads the frame looks for it
        __class__  # type: ignore[name-defined]  # noqa: B018
        return pass_on(cls, *args, **kwargs)


_watched = _Entrance.apply.__code__  # one for all


def pass_on(function: type[Function], *args: Any, **kwargs: Any) -> Any:
    """Apply a Function through all that intercept it, the first of them innermost."""
    apply: Apply = partial(_apply, function)
    for around in tuple(_around):
        apply = partial(around, function, apply)
    return apply(*args, **kwargs)
