"""What the user promises of the candidate: what it is for, where it is defined, how exact it is."""

import difflib
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any, Literal

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from torchref.checker.causes.table import CAUSES
from torchref.checker.execution.case import Case
from torchref.checker.execution.numbers import dtype_name
from torchref.checker.inputs.generate import KINDS
from torchref.errors import InputError

Precision = Literal["native", "double"]
Predicate = Callable[..., bool | Tensor]
Domain = Predicate | Mapping[str, Predicate]
LAYOUTS = "layouts"
VARIED = (*KINDS, LAYOUTS)


MOST_SEED = 2**32 - 1  # what the generators of torch and numpy all take
SHOWN = 80  # characters of what arrived


@dataclass(frozen=True)
class Accepted:
    """What an argument must be, how that is asked, and what to write where it is not."""

    holds: Callable[[Any], bool]
    must: str
    fix: str


ACCEPTED = {
    "seed": Accepted(
        lambda given: _is_whole(given) and 0 <= given <= MOST_SEED,
        f"lie in 0 … {MOST_SEED}, as a whole number",
        "Any small number will do.",
    ),
    "order": Accepted(
        lambda given: _is_whole(given) and given in (1, 2),
        "be 1, for one ordinary backward, or 2, for create_graph=True too",
        "Leave it out for 1.",
    ),
    "expect": Accepted(
        lambda given: isinstance(given, Mapping | str),
        "map the names of causes to reasons",
        'Write expect={"mutates-input": "the kernel keeps its gradient there"}.',
    ),
    "domain": Accepted(
        lambda given: all(
            map(callable, given.values() if isinstance(given, Mapping) else [given or bool])
        ),
        "be a predicate on all arguments, or map some by name to predicates",
        'Write domain=lambda x, y: (x > y).all(), or domain={"x": lambda x: x > 0}.',
    ),
    "vary": Accepted(
        lambda given: isinstance(given, bool | Collection) and not isinstance(given, Mapping),
        "be True, False or a collection of names",
        "True tries all of them, and False none.",
    ),
    "tolerance": Accepted(
        lambda given: 0 <= _number(given) < 1,
        "be at least 0 and less than 1: the relative error that is accepted",
        "Write tolerance=1e-6 for a solver that is exact to six digits.",
    ),
    "precision": Accepted(
        lambda given: given is None or (isinstance(given, str) and given in ("native", "double")),
        'be "native", "double" or None, which finds out',
        "native is the dtype of the inputs, double is float64; "
        "to check in 16 bits, give inputs of 16 bits.",
    ),
    "seconds": Accepted(
        lambda given: given is None or _number(given) > 0,
        "be more than 0, as a number",
        "Leave it out for no limit.",
    ),
    "kwargs": Accepted(
        lambda given: given is None or isinstance(given, Mapping),
        "map the names of further arguments to them",
        'Write kwargs={"dim": 0}.',
    ),
    "samples": Accepted(
        lambda given: isinstance(given, Iterable) and not isinstance(given, str | Tensor | Mapping),
        "be a list or tuple of further inputs, each like inputs",
        "Write samples=[(x,), (y,)].",
    ),
    "wrt": Accepted(
        lambda given: given is None or isinstance(given, Collection),
        "be a collection of names of inputs",
        "Leave it out to check them all.",
    ),
    "progress": Accepted(
        lambda given: given is None or isinstance(given, bool) or callable(given),
        "be True, False or a function that is called with a word",
        "Leave it out to show none.",
    ),
    **dict.fromkeys(
        ("isolate", "thorough", "diagnose"),
        Accepted(
            lambda given: isinstance(given, bool),
            "be True or False",
            "A word such as 'False' would count as true.",
        ),
    ),
}


def require_accepted(**arguments: Any) -> None:
    """Raise `InputError` for an argument that is not what `ACCEPTED` says of its name."""
    for name, given in arguments.items():
        accepted = ACCEPTED[name]
        if not accepted.holds(given):
            shown = " ".join(repr(given).split())[:SHOWN]
            raise InputError(f"{name} must {accepted.must}", f"{shown} arrived", accepted.fix)


def _is_whole(given: Any) -> bool:
    return isinstance(given, Integral) and not isinstance(given, bool)


def _number(given: Any) -> float:
    """The number that an argument is; NaN, which no comparison admits, where it is none."""
    try:
        return math.nan if isinstance(given, str | bytes | bool) else float(given)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return math.nan


@dataclass(frozen=True)
class Promise:
    """The arguments of `crosscheck` that say what the candidate is held to."""

    order: int = 1
    expect: Mapping[str, str] = field(default_factory=dict)
    domain: Domain | None = None
    vary: bool | Collection[str] = True
    tolerance: float = 0.0
    precision: Precision | None = None
    seconds: float | None = None
    surrogate: bool = False

    def __post_init__(self) -> None:
        """Raise `InputError` for what promises nothing."""
        require_accepted(**{name: value for name, value in vars(self).items() if name in ACCEPTED})
        _require_known(self.expect, CAUSES, "expect", "`torchref causes` lists them.")
        if any(not isinstance(why, str) or not why.strip() for why in self.expect.values()):
            raise InputError(
                "expect must give a reason for each cause",
                f"{dict(self.expect)!r} arrived",
                ACCEPTED["expect"].fix,
            )
        if not isinstance(self.vary, bool):
            _require_known(self.vary, VARIED, "vary", ACCEPTED["vary"].fix)
        object.__setattr__(self, "tolerance", float(self.tolerance))

    def varies(self, kind: str) -> bool:
        """Whether variations of a kind are to be tried."""
        return self.vary if isinstance(self.vary, bool) else kind in self.vary

    @property
    def varies_inputs(self) -> bool:
        return any(self.varies(kind) for kind in KINDS)

    def holds_at(self, case: Case) -> bool:
        """Whether the inputs lie in the domain."""
        if self.domain is None:
            return True
        if isinstance(self.domain, Mapping):
            named = dict(zip(case.names, case.leaves, strict=True))
            return all(_is_true(holds(named[name])) for name, holds in self.domain.items())
        args, kwargs, _ = pytree.tree_unflatten(list(case.leaves), case.spec)
        return _is_true(self.domain(*args, **kwargs))

    def admits(self, case: Case) -> bool:
        """Whether other inputs lie in the domain: of other sizes the predicate may refuse."""
        try:
            return self.holds_at(case)
        except Exception:
            return False

    def require_domain(self, cases: Collection[Case], has_precision: bool = False) -> None:
        """Raise `InputError` where the user's own inputs lie outside of it.

        `has_precision` says that they are in the precision that is checked, which may be another.
        """
        where, mend = "", "Give inputs that do, or mend the predicate."
        write = ACCEPTED["domain"].fix
        for case in cases:
            if isinstance(self.domain, Mapping):
                _require_known(self.domain, case.names, "domain", "These are the inputs' names.")
            if has_precision:
                dtype = dtype_name(case.arguments[0].dtype)
                where = f", in the precision that is checked too, {dtype}"
                mend = write = (
                    f"Write it so that it takes {dtype}, as by y.to(x.dtype), or keep the dtype "
                    'given by precision="native".'
                )
            try:
                holds = self.holds_at(case)
            except _NoAnswerError as answer:
                raise InputError(
                    "domain must return a bool, or a tensor of them",
                    f"{answer} arrived ({case.label})",
                    "Write domain=lambda x: (x > 0).all(); a def needs return.",
                ) from None
            except Exception as error:
                raise InputError(
                    f"domain must take what the candidate takes, or one argument by name{where}",
                    f"it raised {type(error).__name__}: {error} ({case.label})",
                    write,
                ) from error
            if not holds:
                raise InputError(
                    f"the inputs must lie in the domain{where}",
                    f"domain says False of them ({case.label})",
                    mend,
                )


class _NoAnswerError(Exception):
    """A predicate returned what is neither true nor false; the message is what it returned."""


def _is_true(holds: Any) -> bool:
    try:
        return bool(torch.as_tensor(holds).all())
    except Exception:
        raise _NoAnswerError(repr(holds)) from None


def _require_known(
    given: Collection[str], known: Collection[str], argument: str, otherwise: str
) -> None:
    if isinstance(given, str):
        must, write = "be a collection of names", f"({given!r},)"
        if argument == "expect":
            must, write = "map the names of causes to reasons", f'{{{given!r}: "why it is meant"}}'
        raise InputError(
            f"{argument} must {must}",
            f"the string {given!r} arrived",
            f"Write {argument}={write}." if given in known else otherwise,
        )
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.4)
            raise InputError(
                f"{argument} may name {', '.join(known)}",
                f"{name!r} arrived",
                f"Did you mean {near[0]}?" if near else otherwise,
            )
