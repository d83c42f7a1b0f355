"""The backward of a Function replaced while tests run, wherever it is defined and applied."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch.autograd import Function

from torchref.auditor.interception import intercept
from torchref.testing.mutation.target import attribute_of_backward, subclasses, target_of

Backward = Callable[..., Any]
Around = Callable[..., Any]  # of the backward that is there, its ctx and the grad_outputs


@contextmanager
def planted(around_of: Callable[[str], Around | None]) -> Iterator[None]:
    """While it lasts, a Function for whose name there is an `around` goes back through it.

    `around(backward, ctx, *grad_outputs)` returns what the backward shall return. It holds for
    Functions that are defined later too, from when they are first applied.

    >>> import torch
    >>> from torchref.ops import Sigmoid
    >>> def double(backward, ctx, grad_y):
    ...     return 2 * backward(ctx, grad_y)
    >>> x = torch.zeros((), requires_grad=True)
    >>> with planted({"torchref.ops.activations.sigmoid.Sigmoid": double}.get):
    ...     print(torch.autograd.grad(Sigmoid.call(x), x))
    (tensor(0.5000),)
    """
    replaced: dict[type[Function], tuple[str, Any]] = {}

    def plant(function: type[Function]) -> None:
        around = around_of(target_of(function).name) if function not in replaced else None
        attribute = attribute_of_backward(function)
        if around is None or attribute is None or _inherits_it(function, attribute):
            return
        replaced[function] = (attribute, function.__dict__.get(attribute))
        setattr(function, attribute, staticmethod(_through(around, getattr(function, attribute))))

    def apply_planted(function: type[Function], apply: Any, *args: Any, **kwargs: Any) -> Any:
        plant(function)
        return apply(*args, **kwargs)

    for function in list(subclasses()):
        plant(function)
    with intercept(apply_planted):
        try:
            yield
        finally:
            for function, (attribute, before) in replaced.items():
                if before is None:
                    delattr(function, attribute)
                else:
                    setattr(function, attribute, before)


def _inherits_it(function: type[Function], attribute: str) -> bool:
    """Whether the backward is that of a parent that is the same Function: an op's twin."""
    definer = next(each for each in function.__mro__ if attribute in each.__dict__)
    return definer is not function and target_of(definer) == target_of(function)


def _through(around: Around, backward: Backward) -> Backward:
    own: Backward = getattr(backward, "__planted_over__", backward)  # where a parent is planted too

    @functools.wraps(own)
    def planted_backward(ctx: Any, *grad_outputs: Any) -> Any:
        return around(own, ctx, *grad_outputs)

    planted_backward.__planted_over__ = own  # type: ignore[attr-defined]  # any function takes it
    return planted_backward
