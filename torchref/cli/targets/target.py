"""From addresses on the command line to what `crosscheck` is called with."""

import inspect
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.utils import _pytree as pytree

from torchref.checker.report.progress import Tick
from torchref.cli.input_expression import Arguments, read_inputs
from torchref.cli.input_expression.fitting import example, fitted
from torchref.cli.reporting.results import Result
from torchref.cli.targets.conventions import Conventions, as_arguments
from torchref.cli.targets.loading import load, load_module
from torchref.errors import InputError


@dataclass(frozen=True)
class Given:
    """What the options say: `addresses` by option, and `promised`, which crosscheck takes as is."""

    addresses: Mapping[str, str | None]
    inputs: list[str]
    promised: Mapping[str, Any]
    device: str
    seed: int

    @property
    def of_one(self) -> list[str]:
        """The options that concern one candidate and no other."""
        named = [f"--{name}" for name, address in self.addresses.items() if address is not None]
        here = ["--inputs"] if self.inputs else []
        return named + here + [f"--{name}" for name in ("wrt", "expect") if name in self.promised]


@dataclass(frozen=True)
class Target:
    """A candidate, and the arguments of `crosscheck` beside it."""

    name: str
    candidate: Any
    arguments: dict[str, Any]


class NothingToCheckError(InputError):
    """A candidate lacks inputs, or a forward; no error where others are checked."""


def targets(address: str, given: Given, tick: Tick) -> Iterator[Target | Result]:
    """The one that is named; or all of a file or module, or why one of them cannot be checked.

    `tick` is called with a word on which of the user's code runs next. Raises `InputError` where
    what is named cannot be, or where there is none.
    """
    torch.manual_seed(given.seed)  # for what is drawn while a module is imported
    where, colon, name = address.rpartition(":")
    tick(f"the import of {where or address}")
    if colon or not address.strip():
        load(address, "TARGET")
        yield _target(where, name.removesuffix(".apply"), given, tick)
        return
    conventions = Conventions(load_module(address, "TARGET"), given.seed)
    tick(f"the cases of {address}")
    names = [*conventions.functions, *conventions.others]
    if not names:
        raise InputError(
            "TARGET must define a torch.autograd.Function, or name what is to be checked",
            f"{address} defines none",
            f"Write {address}:NAME for any callable or Module.",
        )
    if len(names) > 1 and given.of_one:
        raise InputError(
            f"{', '.join(given.of_one)} must be given for one candidate",
            f"{address} has {', '.join(names)}",
            f"Write {address}:{names[0]}.",
        )
    for each in names:
        try:
            yield _target(address, each, given, tick)
        except InputError as error:
            yield Result(each, why=str(error), is_error=not isinstance(error, NothingToCheckError))


def _target(where: str, name: str, given: Given, tick: Tick) -> Target:
    candidate = _instance(load(f"{where}:{name}", "TARGET"), f"{where}:{name}")
    if getattr(candidate, "forward", None) is Function.forward:
        fix = "Name one of the classes that are derived from it."
        raise NothingToCheckError("a Function must have a forward", "it has none", fix)
    conventions = Conventions(load_module(where, "TARGET"), given.seed)
    tick(f"the cases of {name}")
    given_there = given.inputs or given.addresses["cases"] is not None
    arguments = conventions.arguments(name, with_cases=not given_there)
    found = {option: _named(where, option, given, tick) for option in given.addresses}
    cases = found.pop("cases")
    arguments |= {option: each for option, each in found.items() if each is not None}
    if cases is not None:
        arguments |= as_arguments(cases, "--cases", given.seed)
    if given.inputs:
        generator = torch.Generator().manual_seed(given.seed)
        sets = [read_inputs(text, generator) for text in given.inputs]
        arguments |= fitted(candidate, sets, "--inputs")
    elif "inputs" in arguments:
        kwargs = arguments.pop("kwargs", None) or {}
        sets = [
            _as_call(each, kwargs)
            for each in (arguments.pop("inputs"), *arguments.pop("samples", ()))
        ]
        arguments |= fitted(candidate, sets, f"the inputs of {name}")
    else:
        raise NothingToCheckError(
            "inputs must be there to call it on",
            "none are given",
            f"Write torchref check {shlex.quote(f'{where}:{name}')} "
            f'--inputs "{example(candidate)}", with sizes that it takes, or define {name}_cases '
            "beside it.",
        )
    return Target(
        name, candidate, _on(torch.device(given.device), arguments) | dict(given.promised)
    )


def _as_call(inputs: Any, kwargs: Mapping[str, Any]) -> Arguments:
    if isinstance(inputs, Mapping):
        return Arguments((), {**inputs, **kwargs})
    if isinstance(inputs, Tensor):
        return Arguments((inputs,), dict(kwargs))
    return Arguments(tuple(inputs), dict(kwargs))


def _named(where: str, option: str, given: Given, tick: Tick) -> Any:
    """What an option names: a name alone is of the module that is checked."""
    address = given.addresses[option]
    if address is None:
        return None
    tick(f"--{option} {address}")
    found = load(address if ":" in address else f"{where}:{address}", f"--{option}")
    return _instance(found, address) if option in ("reference", "surrogate") else found


def _instance(candidate: Any, address: str) -> Any:
    """A Module of a class that needs no arguments; anything else as it is."""
    if not (isinstance(candidate, type) and issubclass(candidate, torch.nn.Module)):
        return candidate
    try:
        inspect.signature(candidate).bind()
        return candidate()
    except (Exception, SystemExit) as error:
        name = candidate.__name__
        raise InputError(
            f"{address} must be a Module, or a class that makes one without arguments",
            f"{type(error).__name__} came out of {name}(): {error}",
            f"Write layer = {name}(...) beside it, and name that.",
        ) from error


def _on(device: torch.device, arguments: dict[str, Any]) -> dict[str, Any]:
    def moved(leaf: Any) -> Any:
        return leaf.to(device) if isinstance(leaf, Tensor | torch.nn.Module) else leaf

    return {name: pytree.tree_map(moved, each) for name, each in arguments.items()}
