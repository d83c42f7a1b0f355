"""What a module says of how its Functions are to be checked, by the names of what it defines.

    cases               maps names of Functions to their inputs; or the inputs of the only Function
    <name>_cases        the inputs of one
    <name>_reference    what one should equal; `reference` where there is one alone

Capitals, underscores and a final `Function` do not count in a name: `bias_gelu_cases` is of
`BiasGelu`, and of `_BiasGeluFunction`. Each may be a value, or a function that returns it.
Inputs are a tuple of arguments or a single tensor; a list of these, which are several; or a mapping
with the arguments of `crosscheck`: `{"inputs": (x,), "reference": torch.tanh, "order": 2}`.
"""

import difflib
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from torchref import crosscheck
from torchref.cli.supervision.signals import StoppedError
from torchref.errors import InputError, came_out

ACCEPTED = tuple(
    name
    for name in inspect.signature(crosscheck).parameters
    if name not in ("candidate", "isolate", "progress")
)


def called(cases: Any, of: str, seed: int) -> Any:
    """What stands there, or what it returns; raises `InputError` where it raises."""
    if not callable(cases):
        return cases
    torch.manual_seed(seed)
    try:
        returned = cases()
        return list(returned) if isinstance(returned, Iterator) else returned
    except StoppedError:
        raise
    except BaseException as error:
        raise InputError(
            f"{of} must be a function without arguments that returns inputs",
            came_out(error),
            "Call it by itself to see where.",
        ) from error


def as_arguments(cases: Any, of: str, seed: int = 0) -> dict[str, Any]:
    """Inputs, in any of their forms, as arguments of `crosscheck`.

    >>> x = torch.zeros(3)
    >>> as_arguments([(x,), x], "cases") == {"inputs": (x,), "samples": [(x,)]}
    True
    """
    cases = called(cases, of, seed)
    if isinstance(cases, Mapping):
        for key in cases:
            if key not in ACCEPTED:
                near = difflib.get_close_matches(str(key), ACCEPTED, n=1)
                raise InputError(
                    f"{of} as a mapping must have arguments of crosscheck: {', '.join(ACCEPTED)}",
                    f"{key!r} arrived",
                    f"Did you mean {near[0]}?" if near else "Inputs by name are one in a list.",
                )
        return dict(cases)
    if not isinstance(cases, list):
        return {"inputs": _one(cases, of)}
    if not cases:
        raise InputError(f"{of} must have inputs", "an empty list arrived", "Write [(x,), (y,)].")
    first, *others = (_one(each, of) for each in cases)
    return {"inputs": first, "samples": others} if others else {"inputs": first}


def _one(inputs: Any, of: str) -> Any:
    if isinstance(inputs, Tensor):
        return (inputs,)
    if not isinstance(inputs, tuple | list | Mapping):
        raise InputError(
            f"{of} must be a tuple of arguments, a list of such tuples, or a mapping",
            f"{type(inputs).__name__} arrived",
            "Write [(x, bias), (y, bias)].",
        )
    return inputs


@dataclass
class Conventions:
    """What a module defines, and says of it by names."""

    module: ModuleType
    seed: int

    @cached_property
    def functions(self) -> dict[str, type[Function]]:
        """The Functions defined there, not those imported, in their order."""
        found: dict[str, type[Function]] = {}
        for name, each in vars(self.module).items():
            is_function = isinstance(each, type) and issubclass(each, Function)
            if (
                is_function
                and each.__module__ == self.module.__name__
                and each not in found.values()
            ):
                found[name] = each
        return found

    @cached_property
    def cases(self) -> Any:
        return called(getattr(self.module, "cases", None), "cases", self.seed)

    @property
    def others(self) -> list[str]:
        """What `cases` has inputs for beside Functions."""
        functions = {_key(name) for name in self.functions}
        is_table = isinstance(self.cases, Mapping) and "inputs" not in self.cases
        return [name for name in self.cases if _key(name) not in functions] if is_table else []

    def arguments(self, name: str, with_cases: bool) -> dict[str, Any]:
        """The arguments of `crosscheck` for what has this name; no inputs where there are none."""
        is_only = [*map(_key, self.functions)] == [_key(name)]
        found = {}
        reference = self._beside(name, "reference", is_only)
        if reference is not None:
            found["reference"] = reference
        if not with_cases:
            return found
        cases, of = self._beside(name, "cases", False), f"cases of {name}"
        if cases is None and self.cases is not None:
            cases = self._in_cases(name, is_only)
        return found if cases is None else found | as_arguments(cases, of, self.seed)

    def _in_cases(self, name: str, is_only: bool) -> Any:
        if isinstance(self.cases, Mapping) and "inputs" not in self.cases:
            return next((each for of, each in self.cases.items() if _key(of) == _key(name)), None)
        if not is_only:
            raise InputError(
                "cases must map names to inputs where there is more than one Function",
                f"{type(self.cases).__name__} arrived",
                f'Write cases = {{"{name}": [(x,), (y,)]}}, or {name}_cases = [(x,), (y,)].',
            )
        return self.cases

    def _beside(self, name: str, what: str, is_only: bool) -> Any:
        found = {
            beside: each
            for beside, each in vars(self.module).items()
            if beside.endswith(f"_{what}") and _key(beside.removesuffix(what)) == _key(name)
        }
        if len({id(each) for each in found.values()}) > 1:
            raise InputError(
                f"{name} must have one {what}", f"there are {', '.join(found)}", "Rename."
            )
        if not found and is_only:
            return getattr(self.module, what, None)
        return next(iter(found.values()), None)


def _key(name: str) -> str:
    return str(name).lower().replace("_", "").removesuffix("function")
