"""The call: `torchref.crosscheck`."""

import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any

import torch
from torch import Generator, Tensor

from torchref.checker.execution.arithmetic import draw_signed, held_in_double, is_differentiable
from torchref.checker.execution.case import Case, build_case
from torchref.checker.execution.run import RefusedError, backward, forward
from torchref.checker.execution.subject import Subject, as_subject
from torchref.checker.inputs.defaults import defaults_left_out
from torchref.checker.report.ledger import Ledger
from torchref.checker.report.progress import Tick, progress_bar
from torchref.checker.report.report import Report
from torchref.checker.session import Session
from torchref.errors import InputError

Inputs = Sequence[Any] | Mapping[str, Any]
ALL_DIGITS = 2.0**-28  # relative: less than a rounding of float32
MOST_SEED = 2**32 - 1  # what the generators of torch and numpy all take


def crosscheck(
    candidate: Any,
    reference: Any = None,
    inputs: Inputs | None = None,
    *,
    kwargs: Mapping[str, Any] | None = None,
    samples: Sequence[Inputs] = (),
    wrt: Collection[str] | None = None,
    seed: int = 0,
    vary: bool = True,
    thorough: bool = True,
    progress: bool | Tick = False,
) -> Report:
    """Is this gradient right? Where is it wrong, and why?

    candidate   a `torch.autograd.Function`, its `.apply`, a `Module` or any callable
    reference   what it should equal: anything of the same kinds; without one, the candidate's
                own forward is differentiated numerically
    inputs      a tuple of arguments, or a mapping from their names
    kwargs      further arguments by name, for candidate and reference alike
    samples     further inputs, each like `inputs`
    wrt         names of the inputs to differentiate; all floating-point and complex ones if None
    seed        of the random cotangents and directions
    vary        False to try no inputs but those given, for a function that promises no others
    thorough    False to judge the given inputs alone, and by the reference where there is one: no
                variations and no probes, at the price of a few backward passes
    progress    True for a progress bar on standard error; or a function, called with a word on
                what is tried next

    Each of the report's findings names a cause; `torchref causes` on the command line explains
    them, and `torchref.Finding` lists them.

    Everything is computed in float64, whatever the dtype of the inputs, unless the candidate
    refuses it in forward or backward, or computes in float32 all the same: then it is checked in
    float32, and what changes from copy to copy of the inputs is rounding. Numbers left at their
    defaults are varied too, and the parameters of a Module are inputs. A report has no truth
    value: ask for its verdict, or call `raise_if_wrong`. Raises `InputError` for inputs that no
    verdict can be given on.

    >>> from torchref.ops import Sigmoid
    >>> crosscheck(Sigmoid, torch.sigmoid, (torch.randn(3, 2),)).verdict
    'right'
    """
    _check_call(reference, inputs, seed)
    subject = as_subject(candidate)
    other = None if reference is None else as_subject(reference)
    fallback = None if other is None else other.names
    kwargs = {**defaults_left_out(candidate, reference, inputs, kwargs), **(kwargs or {})}
    given = [inputs, *samples]
    cases = [build_case(subject, each, kwargs, wrt, fallback) for each in given if each is not None]
    cases = [
        case if number == 0 else case.derived(f"sample {number}", {})
        for number, case in enumerate(cases)
    ]
    with (
        torch.inference_mode(False),  # which keeps no tape
        _random_state_kept(cases[0].device),
        _telling(progress, subject.title) as tick,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # of variations that the user never asked for
        session = Session(subject, other, seed, tick, vary, thorough)
        cases = _in_double(subject, cases, session.ledger)
        cases = [_differentiable(other or subject, case, session.ledger) for case in cases]
        session.run(cases)
    return session.ledger.report(subject.title, None if other is None else other.title, seed)


def _check_call(reference: Any, inputs: Inputs | None, seed: int) -> None:
    if not 0 <= seed <= MOST_SEED:
        raise InputError(
            f"seed must lie in 0 … {MOST_SEED}", f"{seed} arrived", "Any small number will do."
        )
    if inputs is None:
        arrived = "inputs were left out"
        if isinstance(reference, tuple | list | Mapping):
            arrived = f"a {type(reference).__name__} arrived in the place of the reference"
        raise InputError(
            "crosscheck needs inputs to call the candidate on",
            arrived,
            "Write crosscheck(candidate, reference, (x, ...)), or inputs=(x, ...).",
        )


def _in_double(subject: Subject, cases: list[Case], ledger: Ledger) -> list[Case]:
    """The cases in float64, or in the precision that the candidate has.

    That is the dtype given where forward or backward refuses float64, and float32 where it
    computes in it whatever arrives.
    """
    doubled = [case.to(torch.float64) for case in cases]
    try:
        _computed(subject, doubled[0])
    except RefusedError as refusal:
        native = cases if _is_single(cases[0]) else [case.to(torch.float32) for case in cases]
        try:
            _computed(subject, native[0])
        except RefusedError:
            return doubled
        where = "the dtype given" if native is cases else "float32"
        ledger.note(f"checked in {where}, because in float64 {refusal}")
        return native
    with suppress(RefusedError):
        computed = _computed(subject, _with_all_digits(doubled[0]))
        if computed and all(map(held_in_double, computed)):
            native = [case.to(torch.float32) for case in cases]
            if all(y.dtype == torch.float32 for y in _computed(subject, native[0])):
                ledger.note("checked in float32: of float64 inputs it makes float32 numbers")
                return native
    return doubled


def _with_all_digits(case: Case) -> Case:
    """float64 inputs beside those given that are no float32 numbers: a selection returns them."""
    generator = Generator().manual_seed(0)
    moved = {
        i: x * (1 + ALL_DIGITS * draw_signed(x.real, generator))
        for i, x in zip(case.wrt, case.arguments, strict=True)
    }
    return case.derived(case.label, moved)


def _computed(subject: Subject, case: Case) -> list[Tensor]:
    """The floating-point outputs, once a backward has been through as well."""
    tape = forward(subject, case)
    backward(subject, tape, tape.draw_cotangents(Generator().manual_seed(0)))
    outputs = [y.detach() for y in tape.outputs]
    return [y for y in outputs if is_differentiable(y) and bool(y.any())]


def _is_single(case: Case) -> bool:
    return any(x.dtype != torch.float64 for x in case.arguments)


def _differentiable(reference: Subject, case: Case, ledger: Ledger) -> Case:
    """The case without arguments that the reference refuses to differentiate."""
    try:
        forward(reference, case)
    except RefusedError as refusal:
        if refusal.of_writing_into_leaf:
            return case
        refused = [i for i in case.wrt if _refuses(reference, case, i)]
        if 0 < len(refused) < len(case.wrt):
            for i in refused:
                ledger.note(
                    f"{case.names[i]} is left out: {reference.title} has no gradient for it"
                )
            return case.without(refused)
    return case


def _refuses(reference: Subject, case: Case, i: int) -> bool:
    others = [j for j in case.wrt if j != i]
    try:
        forward(reference, case.without(others))
    except RefusedError:
        return True
    return False


@contextmanager
def _random_state_kept(device: torch.device) -> Iterator[None]:
    """The user's random numbers go on as if none had been drawn here."""
    on_device = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        if on_device is not None:
            with suppress(RuntimeError):  # where an assertion has ended the context
                torch.cuda.set_rng_state(on_device, device)


def _telling(progress: bool | Tick, title: str) -> AbstractContextManager[Tick]:
    if callable(progress):
        return nullcontext(progress)
    return progress_bar(title) if progress else nullcontext(_silent)


def _silent(_: str) -> None:
    """No progress is shown."""
