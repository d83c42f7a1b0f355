"""Process and CUDA context stay alive: what a variation may do there is found out first.

On CUDA an index or a value out of range is no exception but an assertion of the kernel's, after
which every later call of the process fails. On the CPU the same reference raises. A Triton kernel
checks no bounds, in the interpreter neither: out of its arrays it ends the process.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from inspect import getclosurevars, getmodule
from os import environ
from types import FunctionType, ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from torchref.checker.execution.case import Case
from torchref.checker.execution.subject import Subject
from torchref.checker.execution.tape import evaluate

ASSERTED = ("device-side assert", "CUDA error")
ELSEWHERE = ("on the same device", "at least two devices")
RESHAPING = ("indices", "sizes", "ranks")  # kinds of variation that a kernel may run out of


def is_admitted(
    reference: Subject | None, kind: str, case: Case, checks_bounds: bool = True
) -> bool:
    """Whether a variation may be tried on the device of its case; True for the CPU's own bounds.

    Raises what the reference raises on CPU copies. Without a reference, and beside one that closes
    over CUDA tensors, nobody can say: then values alone are admitted.
    """
    if case.device.type != "cuda" and checks_bounds:
        return True
    if reference is None:
        return kind not in RESHAPING
    try:
        rehearse(reference, case, case.leaves)
    except Exception as error:
        if not any(words in str(error) for words in ELSEWHERE):
            raise
        return kind not in RESHAPING
    return True


def checks_bounds(functions: Iterable[type[Function]]) -> bool:
    """Whether none of the Functions is of a module that takes part in Triton."""
    modules = (getmodule(base) for function in functions for base in function.__mro__)
    return not any(
        isinstance(value, ModuleType) and value.__name__.partition(".")[0] == "triton"
        for module in filter(None, modules)
        for value in vars(module).values()
    )


def is_interpreted(functions: Iterable[type[Function]]) -> bool:
    """Whether they run Triton kernels by its interpreter, which keeps bfloat16 as integers."""
    return environ.get("TRITON_INTERPRET") == "1" and not checks_bounds(functions)


def integers_in(source: Any, depth: int = 3) -> Iterator[int]:
    """What a function writes down, was given in advance or closes over: it may need these sizes.

    >>> sorted(integers_in(partial(lambda x, n: x + 4, n=6)))
    [4, 6]
    """
    if isinstance(source, int) and not isinstance(source, bool):
        yield source
    elif isinstance(source, partial):
        for part in (source.func, *source.args, *source.keywords.values()) if depth else ():
            yield from integers_in(part, depth - 1)
    elif isinstance(source, FunctionType) and depth:
        held = getclosurevars(source).nonlocals.values()
        for part in (*source.__code__.co_consts, *(source.__defaults__ or ()), *held):
            yield from integers_in(part, depth - 1)


def rehearse(subject: Subject, case: Case, leaves: Sequence[Any]) -> None:
    """A forward on CPU copies: it raises where a kernel might assert."""
    evaluate(subject, case, [x.detach().cpu() if isinstance(x, Tensor) else x for x in leaves])


def can_rehearse(subject: Subject, case: Case) -> bool:
    """Whether the case is on CUDA and the subject, called on CPU copies of it, runs there."""
    if case.device.type != "cuda":
        return False
    try:
        rehearse(subject, case, case.leaves)
    except Exception:  # a kernel that knows no CPU, or a tensor that it closes over
        return False
    return True


def ends_the_context(error: BaseException) -> bool:
    """Whether an error, or what it came from, leaves CUDA unusable in this process."""
    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, RuntimeError) and any(words in str(chain) for words in ASSERTED):
            return not isinstance(chain, torch.OutOfMemoryError)
        chain = chain.__cause__ or chain.__context__
    return False
