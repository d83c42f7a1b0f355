"""The cross-checks of a kernel, in a process of their own.

A kernel checks no bounds. In the interpreter an index outside of them ends the process, as on a
device it ends the context, and the tests beside this one should go on.
"""

import inspect
import multiprocessing
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import torch
from torch.autograd import Function

from tests.kernels.interpreter import DEVICE
from tests.kernels.kernel import Kernel
from torchref import Report, crosscheck

SECONDS = 300.0  # for one check, on a machine that has other work


class EndedError(AssertionError):
    """The check ended its process, or did not end in time."""


@dataclass(frozen=True)
class Trial:
    """One cross-check: of the kernel, or of the Function given in the place of its own."""

    seed: int = 0
    function: type[Function] | None = None
    vary: bool = False
    thorough: bool = False


def judged(kernel: Kernel, dtype: torch.dtype, trials: Sequence[Trial]) -> list[Report]:
    """The report on each trial."""
    reports = (_checked(kernel, dtype, trial) for trial in trials)
    if DEVICE == "cuda":  # a fork cannot go on with the context
        return list(reports)
    return list(_from_a_process_of_its_own(reports, trials))


def _checked(kernel: Kernel, dtype: torch.dtype, trial: Trial) -> Report:
    options: dict[str, Any] = {}
    if "expect" in inspect.signature(crosscheck).parameters:
        options["expect"] = kernel.by_design
    return crosscheck(
        kernel.candidate(trial.function),
        kernel.reference,
        kernel.drawn(dtype, trial.seed),
        wrt=tuple(kernel.differentiable()),
        seed=trial.seed,
        vary=trial.vary,
        thorough=trial.thorough,
        **options,
    )


def _from_a_process_of_its_own(
    reports: Iterable[Report], trials: Sequence[Trial]
) -> Iterator[Report]:
    here, there = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_send, args=(reports, there))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside other threads
        process.start()
    there.close()
    try:
        for trial in trials:
            if not here.poll(SECONDS):
                raise EndedError(f"{trial}: not done after {SECONDS:.0f} seconds")
            outcome = here.recv()
            if isinstance(outcome, Exception):
                raise outcome
            yield outcome
    except EOFError:
        process.join()
        raise EndedError(f"{trial} ended the process: exit code {process.exitcode}") from None
    finally:
        process.kill()
        process.join()


def _send(reports: Iterable[Report], there: Connection) -> None:
    try:
        for report in reports:
            there.send(report)
    except Exception as error:
        there.send(error)
