"""What an option of `Settings` takes: each value that arrives is held to its annotation."""

import math
from collections.abc import Callable
from enum import StrEnum
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from types import NoneType
from typing import Any, get_args

import typer

from torchref.errors import InputError


def positive(value: float | None) -> float | None:
    if value is not None and not (math.isfinite(value) and value > 0):
        raise typer.BadParameter(f"{value} is not a positive number.")
    return value


def not_negative(value: float | None) -> float | None:
    if value is not None and not (math.isfinite(value) and value >= 0):
        raise typer.BadParameter(f"{value} is not 0 or a positive number.")
    return value


def is_plain_name(name: str) -> bool:
    return name not in (".", "..", "latest") and not set(name) & set("/\\")


def plain_name(name: str | None) -> str | None:
    if name is not None and not is_plain_name(name):
        raise typer.BadParameter(f"{name!r} is no name for a folder, or means another one.")
    return name


HELD_TO: dict[Callable[..., Any], str] = {
    positive: "a positive number",
    not_negative: "0 or a positive number",
    plain_name: "a plain name for a folder, and not latest",
}


def accepted(name: str, annotation: Any, value: Any, default: Any) -> Any:
    """The value as `Settings` keeps it: text becomes a path or a member, one member a list.

    annotation  of the field: its type, and the `typer.Option` with the limits and the callback
    default     is told where the value is refused

    Raises `InputError` for a value of another type, or beyond the limits.
    """
    kind, option = get_args(annotation)
    alternatives = [each for each in get_args(kind) or (kind,) if each is not NoneType]
    is_list = getattr(kind, "__origin__", None) is list
    (inner,) = alternatives
    if value is None and NoneType in get_args(kind):
        return None
    wanted = words(inner, option, is_list=is_list)
    try:
        kept = members(inner, value) if is_list else converted(inner, value)
        low, high = option.min, option.max
        if (low is not None and kept < low) or (high is not None and kept > high):
            raise ValueError
        if option.callback in HELD_TO:
            option.callback(kept)
    except (TypeError, ValueError, typer.BadParameter):
        usual = "Leave it out" if default in (None, []) else f"{name}={as_given(default)} is usual"
        raise InputError(f"{name} must be {wanted}", f"{value!r} arrived", f"{usual}.") from None
    return kept


def converted(kind: Any, value: Any) -> Any:
    """Raises `TypeError` or `ValueError` for what is not of the kind, nor means one."""
    if kind is bool or isinstance(value, bool):
        if kind is not bool or not isinstance(value, bool):
            raise TypeError
        return value
    if kind is Path or kind is str:
        if not isinstance(value, str | PathLike) or not str(value):
            raise TypeError
        return kind(value)
    if not (issubclass(kind, StrEnum) or isinstance(value, Integral if kind is int else Real)):
        raise TypeError
    return kind(value)


def members(kind: type[StrEnum], value: Any) -> list[StrEnum]:
    several = [value] if isinstance(value, str) else list(value)
    if not several:
        raise ValueError
    return [kind(each) for each in several]


def words(kind: type, option: Any, *, is_list: bool) -> str:
    """What must hold, after "must be"."""
    if option.callback in HELD_TO:
        return HELD_TO[option.callback]
    if issubclass(kind, StrEnum):
        return f"{'some' if is_list else 'one'} of {', '.join(kind)}"
    if kind is int:
        low = "" if option.min is None else f" of at least {option.min}"
        high = "" if option.max is None else f" and at most {option.max}"
        return f"a whole number{low}{high}"
    named = {bool: "True or False", str: "a text that is not empty", Path: "the path of a folder"}
    return named.get(kind, "a number")


def as_given(default: Any) -> str:
    """
    >>> as_given(Path("runs")), as_given(0.1)
    ("'runs'", '0.1')
    """
    if isinstance(default, list):
        return f"[{', '.join(map(as_given, default))}]"
    return repr(str(default) if isinstance(default, str | Path) else default)
