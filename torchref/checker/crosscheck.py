"""The call: `torchref.crosscheck`."""

import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from typing import Any

import torch

from torchref.checker.execution.case import Case, build_case
from torchref.checker.execution.isolation import (
    OutlastedError,
    ProcessEndedError,
    Send,
    run_isolated,
)
from torchref.checker.execution.run import RefusedError
from torchref.checker.execution.subject import (
    as_subject,
    require_parameters_of,
    with_gradient_of,
)
from torchref.checker.execution.time_limit import time_limit
from torchref.checker.inputs.defaults import defaults_left_out
from torchref.checker.inputs.preparation import AT_PRECISIONS, AT_THE_REFERENCE, computed
from torchref.checker.inputs.sizes import SMALL
from torchref.checker.promise import Domain, Precision, Promise, require_accepted
from torchref.checker.report.findings import Finding
from torchref.checker.report.ledger import Ledger
from torchref.checker.report.progress import Tick, progress_bar
from torchref.checker.report.report import InterruptionError, Report
from torchref.checker.session import PREPARATION, Session
from torchref.errors import InputError

Inputs = Sequence[Any] | Mapping[str, Any]
LOADING = "the loading of what was given"
NOT_TRIED = "what was not tried by then was not checked"


def crosscheck(
    candidate: Any,
    reference: Any = None,
    inputs: Inputs | None = None,
    *,
    kwargs: Mapping[str, Any] | None = None,
    samples: Sequence[Inputs] = (),
    wrt: Collection[str] | None = None,
    seed: int = 0,
    order: int = 1,
    expect: Mapping[str, str] | None = None,
    surrogate: Any = None,
    domain: Domain | None = None,
    vary: bool | Collection[str] = True,
    tolerance: float = 0.0,
    precision: Precision | None = None,
    seconds: float | None = None,
    isolate: bool = False,
    thorough: bool = True,
    diagnose: bool = True,
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
    order       2 for a candidate that is differentiated twice: what leaves one ordinary backward
                right, and is a hazard, makes it wrong then
    expect      causes that are meant, each with the reason: they are reported, and count as right
    surrogate   whose gradient the backward should have, where it is not that of the forward
    domain      a predicate on all arguments, or some by name: no others are tried than it admits
    vary        False to try no inputs but those given, for a function that promises no others; or
                the kinds to try: "options", "values", "indices", "orders", "sizes", "ranks",
                "layouts"
    tolerance   the relative error that outputs and gradients may have, as of a solver
    precision   "native" to compute in the dtype of the inputs, "double" in float64 whatever
                happens; None finds out which the candidate has
    seconds     a limit on the whole call; what was not tried by then is said
    isolate     True to work in a process of its own: a kernel that ends it ends no other
    thorough    False to judge the given inputs alone, and by the reference where there is one: no
                variations and no probes, at the price of a few backward passes
    diagnose    False to say which gradients are wrong and where, and seek no cause, which may take
                seconds
    progress    True for a progress bar on standard error; or a function, called with a word on
                what is tried next

    Each of the report's findings names a cause; `torchref causes` on the command line explains
    them, and `torchref.Finding` lists them.

    Everything is computed in float64, unless the inputs have 16 bits, or the candidate refuses
    float64 in forward or backward or computes in float32 all the same: then it is checked in its
    own precision, and what changes from copy to copy of the inputs is rounding. All tensors that
    are returned are compared in order, whatever structure holds them. Numbers left at their
    defaults are varied too, and the parameters of a Module are inputs. A report has no truth value:
    ask for its verdict, or call `raise_if_wrong`. Raises `InputError` for inputs that no verdict
    can be given on; the KeyboardInterrupt of Ctrl-C has what was learnt by then as `report`.

    >>> from torchref.ops import Sigmoid
    >>> crosscheck(Sigmoid, torch.sigmoid, (torch.randn(3, 2),)).verdict
    'right'
    """
    _check_call(reference, inputs)
    require_accepted(
        seed=seed,
        kwargs=kwargs,
        samples=samples,
        wrt=wrt,
        progress=progress,
        isolate=isolate,
        thorough=thorough,
        diagnose=diagnose,
    )
    if expect and not diagnose:
        raise InputError(
            "diagnose must be True where causes are expected",
            f"diagnose=False and expect={dict(expect)!r} arrived",
            "Leave one of them out: expect= goes by the cause.",
        )
    promise = Promise(
        order,
        {} if expect is None else expect,
        domain,
        vary,
        tolerance,
        precision,
        seconds,
        surrogate is not None,
    )
    subject = replace(as_subject(candidate), tolerance=tolerance)
    other = None if reference is None else as_subject(reference, "reference=")
    if other is not None:
        require_parameters_of(subject, other)
    if surrogate is not None:
        other = with_gradient_of(as_subject(surrogate, "surrogate="), other or subject)
    fallback = None if other is None else other.names
    kwargs = {**defaults_left_out(candidate, reference, inputs, kwargs), **(kwargs or {})}
    given = [inputs, *samples]
    cases = [build_case(subject, each, kwargs, wrt, fallback) for each in given if each is not None]
    cases = [
        case if number == 0 else case.derived(f"sample {number}", {})
        for number, case in enumerate(cases)
    ]
    promise.require_domain(cases)
    session = Session(subject, other, seed, _silent, promise, thorough, diagnose)
    titles = subject.title, None if other is None else other.title
    with _telling(progress, subject.title) as tick:
        try:
            (_isolated if isolate else _run)(session, cases, tick)
        except KeyboardInterrupt as interruption:
            session.ledger.undecided("interruption", f"it was interrupted at {session.trying}")
            session.ledger.note(NOT_TRIED)
            raise InterruptionError(session.ledger.report(*titles, seed)) from interruption
    return session.ledger.report(*titles, seed)


def _run(session: Session, cases: list[Case], tick: Tick) -> Ledger:
    """All that the session tries, without a trace of it in the user's process."""
    session.tick, session.trying = tick, PREPARATION
    with (
        torch.inference_mode(False),  # which keeps no tape
        _random_state_kept(cases[0].device),
        time_limit(session.promise.seconds),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # of variations that the user never asked for
        session.run(cases)
    return session.ledger


def _isolated(session: Session, cases: list[Case], tick: Tick) -> None:
    """The same in another process; where that ends, what was learnt by then and what ended it."""
    session.trying = LOADING

    def work(send: Send) -> Ledger:
        return _run(session, cases, lambda what: send((what, session.ledger)))

    def receive(sent: tuple[str, Ledger]) -> None:
        session.trying, session.ledger = sent
        tick(session.trying)

    try:
        session.ledger = run_isolated(work, receive, session.promise.seconds)
    except ProcessEndedError as ended:
        learnt, trying = session.ledger, session.trying
        is_late = isinstance(ended, OutlastedError)
        in_double = trying == AT_PRECISIONS[torch.float64] and not is_late
        if in_double and _ends_as_given(session, cases[0]):
            trying = cases[0].label
        if is_late:
            learnt.undecided("process", f"{ended}, and tried last: {trying}")
        elif session.probes.get(trying, trying in {case.label for case in cases}):
            evidence = f"{ended}; what it wrote before that is on standard error"
            learnt.enter("process", [Finding("raises", None, None, evidence, trying)])
        else:  # which may be more than was promised
            learnt.undecided("process", f"{ended} at {trying}; {_left_out_by(trying, session)}")
        learnt.note(NOT_TRIED)


def _ends_as_given(session: Session, case: Case) -> bool:
    """Whether one backward at the inputs in the dtype given ends a process too."""

    def work(_: Send) -> None:
        with suppress(RefusedError):
            computed(session.candidate, case)

    try:
        run_isolated(work, _silent, session.promise.seconds)
    except ProcessEndedError as ended:
        return not isinstance(ended, OutlastedError)
    return False


def _left_out_by(trying: str, session: Session) -> str:
    """What to write where what ended the process is not what the candidate is for."""
    if trying in AT_PRECISIONS.values():
        return 'precision="native" leaves that out'
    if trying.startswith(AT_THE_REFERENCE):
        return "call it on the inputs to see"
    if trying == LOADING:
        return "modules are imported anew there"
    if trying == SMALL:
        return "domain= leaves that out"
    if trying == "layout of inputs":
        return 'vary= without "layouts" leaves that out'
    if trying in session.probes:
        return "an error would be let pass there, and thorough=False leaves that out"
    return "domain= or vary= leave that out"


def _check_call(reference: Any, inputs: Inputs | None) -> None:
    if inputs is None:
        arrived = "inputs were left out"
        if isinstance(reference, tuple | list | Mapping):
            arrived = f"a {type(reference).__name__} arrived in the place of the reference"
        raise InputError(
            "crosscheck needs inputs to call the candidate on",
            arrived,
            "Write crosscheck(candidate, reference, (x, ...)), or inputs=(x, ...).",
        )


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
