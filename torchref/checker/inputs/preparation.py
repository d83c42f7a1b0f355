"""The user's inputs made ready: in the precision that is checked, without what has no gradient."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import torch
from torch import Generator, Tensor

from torchref.checker.execution.arithmetic import (
    draw_signed,
    entry_sizes,
    held_in_16_bits,
    held_in_double,
    is_differentiable,
)
from torchref.checker.execution.case import Case
from torchref.checker.execution.numbers import dtype_name
from torchref.checker.execution.run import RefusedError, backward, forward
from torchref.checker.execution.subject import Subject
from torchref.checker.execution.tape import evaluate

ALL_DIGITS = 2.0**-28  # relative: less than a rounding of float32
SMALL, LARGE = 2.0**-30, 2.0**-12  # relative: far below a rounding of float32, and far above it
MANY = 1 / 3  # of the outputs, that a forward in float32 lets stand still
ROUNDINGS = 64.0  # of float32, that a right forward in it may make

# What is tried before the first check, where it is not just the inputs given.
AT_PRECISIONS = {
    dtype: f"the inputs in {dtype_name(dtype)}, to find the precision"
    for dtype in (torch.float64, torch.float32)
}
AT_THE_REFERENCE = "the reference alone"

Note = Callable[[str], None]  # takes what the user should know of it
Tick = Callable[[str], None]  # takes a word on what is tried next


def prepared(
    candidate: Subject,
    reference: Subject | None,
    given: list[Case],
    precision: str | None,
    note: Note,
    tick: Tick,
) -> list[Case]:
    """The cases in the precision that is checked, without what the reference refuses."""
    cases = []
    for case in in_its_precision(candidate, given, precision, note, tick):
        tick(f"{AT_THE_REFERENCE}, {case.label}" if reference else case.label)
        cases.append(differentiable(reference or candidate, case, note))
    return cases


def _silent(_: str) -> None:
    """Nothing is told."""


def in_its_precision(
    subject: Subject, cases: list[Case], precision: str | None, note: Note, tick: Tick = _silent
) -> list[Case]:
    """The cases in float64, or in the precision that the candidate has.

    That is the dtype given where it has 16 bits, or where forward or backward refuses float64, and
    float32 where it computes in it whatever arrives.
    """
    if precision == "native" or (precision is None and has_16_bits(cases[0])):
        given = dict.fromkeys(dtype_name(x.dtype) for x in cases[0].arguments) or ["it"]
        dtypes = "dtype" if len(given) == 1 else "dtypes"
        note(f"checked in {' and '.join(given)}, the {dtypes} of the inputs")
        return cases
    doubled = [
        replace(case.to(torch.float64), dtype_given=torch.float32 if _is_single(case) else None)
        for case in cases
    ]
    if precision == "double":
        return doubled
    is_single = _is_single(cases[0])
    tick(AT_PRECISIONS[torch.float64] if is_single else cases[0].label)
    try:
        computed(subject, doubled[0])
    except RefusedError as refusal:
        native = cases if is_single else [case.to(torch.float32) for case in cases]
        tick(cases[0].label if is_single else AT_PRECISIONS[torch.float32])
        try:
            computed(subject, native[0])
        except RefusedError:  # what it says of the dtype given is the cause, if it is one dtype
            return cases if is_single and not _is_mixed(cases[0]) else doubled
        where = "the dtype given" if native is cases else "float32"
        note(f"checked in {where}, because in float64 {refusal}")
        return native
    tick(AT_PRECISIONS[torch.float32])
    with suppress(RefusedError):
        if why := _is_of_single_precision(subject, cases[0], doubled[0]):
            note(f"checked in float32: {why}")
            return [case.to(torch.float32) for case in cases]
    return doubled


def _is_of_single_precision(subject: Subject, given: Case, doubled: Case) -> str:
    """Why it should be checked in float32, if it should: of float64 it has not the digits."""
    outputs, gradients = computed(subject, _with_all_digits(doubled))
    native, native_gradients = computed(subject, doubled.to(torch.float32))
    if not native or any(y.dtype != torch.float32 for y in native):
        return ""
    if outputs and all(y.dtype == torch.float32 or held_in_double(y) for y in outputs):
        return "of float64 inputs it makes float32 numbers"
    approximate = subject.tolerance > torch.finfo(torch.float32).eps  # and moves in steps of that
    if not approximate and _stands_still_and_jumps(subject, doubled, native):
        return "its float64 outputs move by the steps of float32"
    cast = any(held_in_double(g) or held_in_16_bits(g) for g in gradients)
    if _is_single(given) and cast and not any(map(held_in_16_bits, native_gradients)):
        return "of float64 inputs its backward makes numbers of fewer digits"
    return ""


def _stands_still_and_jumps(subject: Subject, case: Case, native: list[Tensor]) -> bool:
    """Whether many outputs move otherwise over a small step than in proportion to a larger one.

    A forward that computes in float32 in between, and in float64 again after it, does.
    """
    generator = Generator().manual_seed(0)
    moves = {
        i: x * draw_signed(x, generator) for i, x in zip(case.wrt, case.arguments, strict=True)
    }

    def outputs(t: float) -> list[Tensor]:
        moved = {i: torch.add(case.leaves[i], move, alpha=t) for i, move in moves.items()}
        return [
            y
            for y in evaluate(subject, case, case.derived("moved", moved).leaves)
            if is_differentiable(y)
        ]

    try:
        here, near, far = outputs(0.0), outputs(SMALL), outputs(LARGE)
    except Exception:  # beside these inputs it may refuse
        return False
    if [y.shape for y in here] != [y.shape for y in near] or len(native) != len(here):
        return False
    single = torch.finfo(torch.float32).eps
    deviating = total = 0
    for y, y_near, y_far, y_single in zip(here, near, far, native, strict=True):
        if y.is_complex() or y.dtype != torch.float64:
            return False
        unit = entry_sizes(y)
        if not bool(((y_single.double() - y).abs() <= ROUNDINGS * single * unit).all()):
            return False  # badly conditioned, and no matter of its precision
        if bool(((y_near - y).abs() > ROUNDINGS * single * unit).any()):
            return False  # a jump that is wider than its precision
        expected = (y_far - y) * (SMALL / LARGE)
        deviating += int(((y_near - y - expected).abs() > expected.abs() / 4).sum())
        total += y.numel()
    return total > 0 and deviating > MANY * total


def _with_all_digits(case: Case) -> Case:
    """float64 inputs beside those given that are no float32 numbers: a selection returns them."""
    generator = Generator().manual_seed(0)
    moved = {
        i: x * (1 + ALL_DIGITS * draw_signed(x.real, generator))
        for i, x in zip(case.wrt, case.arguments, strict=True)
    }
    return case.derived(case.label, moved)


def computed(subject: Subject, case: Case) -> tuple[list[Tensor], list[Tensor]]:
    """The floating-point outputs and the gradients, without those that are 0 throughout."""
    tape = forward(subject, case)
    gradients = backward(subject, tape, tape.draw_cotangents(Generator().manual_seed(0)))
    outputs = [y.detach() for y in tape.outputs]
    return (
        [y for y in outputs if is_differentiable(y) and bool(y.any())],
        [g.detach() for g in gradients if g is not None and bool(g.any())],
    )


def _is_single(case: Case) -> bool:
    return any(x.dtype != torch.float64 for x in case.arguments)


def _is_mixed(case: Case) -> bool:
    return len({x.dtype for x in case.arguments}) > 1


def differentiable(reference: Subject, case: Case, note: Note) -> Case:
    """The case without arguments that the reference refuses to differentiate."""
    try:
        forward(reference, case)
    except RefusedError as refusal:
        if refusal.of_writing_into_leaf:
            return case
        refused = [i for i in case.wrt if _refuses(reference, case, i)]
        if 0 < len(refused) < len(case.wrt):
            for i in refused:
                note(f"{case.names[i]} is left out: {reference.title} has no gradient for it")
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
