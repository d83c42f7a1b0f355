"""One function for one, two and three dimensions, under the names that torch has for each."""

import inspect
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
SHAPES = {2: "(N, C, H, W) or (C, H, W)", 3: "(N, C, D, H, W) or (C, D, H, W)"}


def in_each_rank(
    function: Callable[Concatenate[int, P], R],
) -> tuple[Callable[P, R], Callable[P, R], Callable[P, R]]:
    """Of `conv`, which takes the number of dimensions first: conv1d, conv2d and conv3d.

    The docstring of `conv` is that of conv1d, to which the other two refer.
    """
    return of_rank(1, function), of_rank(2, function), of_rank(3, function)


def of_rank(rank: int, function: Callable[Concatenate[int, P], R]) -> Callable[P, R]:
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        return function(rank, *args, **kwargs)

    name = function.__name__
    whole = inspect.signature(function)
    _, *parameters = whole.parameters.values()
    call.__signature__ = whole.replace(parameters=parameters)  # type: ignore[attr-defined]  # any function takes it
    call.__annotations__ = {**function.__annotations__}
    del call.__annotations__["rank"]
    call.__name__ = call.__qualname__ = f"{name}{rank}d"
    call.__module__ = function.__module__
    call.__doc__ = f"As `{name}1d`, of {SHAPES[rank]}." if rank in SHAPES else function.__doc__
    return call
