"""The user's inputs made ready: in the precision that is checked, without what has no gradient."""

from contextlib import suppress
from dataclasses import replace

import torch
from torch import Generator, Tensor

from torchref.checker.execution.arithmetic import draw_signed, held_in_double, is_differentiable
from torchref.checker.execution.case import Case
from torchref.checker.execution.run import RefusedError, backward, forward
from torchref.checker.execution.subject import Subject
from torchref.checker.report.ledger import Ledger

ALL_DIGITS = 2.0**-28  # relative: less than a rounding of float32


def in_its_precision(
    subject: Subject, cases: list[Case], precision: str | None, ledger: Ledger
) -> list[Case]:
    """The cases in float64, or in the precision that the candidate has.

    That is the dtype given where it has 16 bits, or where forward or backward refuses float64, and
    float32 where it computes in it whatever arrives.
    """
    if precision == "native" or (precision is None and has_16_bits(cases[0])):
        given = str(cases[0].arguments[0].dtype).removeprefix("torch.") if cases[0].wrt else "it"
        ledger.note(f"checked in {given}, the dtype of the inputs")
        return cases
    doubled = [
        replace(case.to(torch.float64), dtype_given=torch.float32 if _is_single(case) else None)
        for case in cases
    ]
    if precision == "double":
        return doubled
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


def differentiable(reference: Subject, case: Case, ledger: Ledger) -> Case:
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


def has_16_bits(case: Case) -> bool:
    """Whether an argument is given in bfloat16 or float16."""
    return any(torch.finfo(x.dtype).bits == 16 for x in case.arguments)
