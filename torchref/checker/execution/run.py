"""One run at a case: outputs, random cotangents, the gradients claimed and the true ones."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Generator, Tensor
from torch.autograd import Function
from torch.utils import _pytree as pytree

from torchref.checker.execution.arithmetic import agree, are_finite, is_floating, norm, precision
from torchref.checker.execution.case import Case
from torchref.checker.execution.numbers import dtype_name
from torchref.checker.execution.raw_returns import RawReturn, custom_functions, recording
from torchref.checker.execution.subject import Subject
from torchref.checker.execution.tape import (
    Cotangents,
    Gradients,
    Tape,
    copy_layout,
    fresh,
    seed_forward,
)
from torchref.errors import InputError

ABSURD = 1e100  # in a variation: no computation that is meant to go there


class NotFiniteError(Exception):
    """An output is NaN or infinite at a case that nobody gave."""


class RefusedError(Exception):
    """A subject raised on a case: whose forward or backward, and what it said.

    `raw` is what the backwards of its Functions had returned by then.
    """

    def __init__(
        self, subject: Subject, phase: str, error: Exception, raw: Sequence[RawReturn] = ()
    ) -> None:
        first = (str(error).strip().splitlines() or [""])[0]
        super().__init__(f"{subject.title}'s {phase} raised {type(error).__name__}: {first}")
        self.subject, self.phase, self.raw = subject, phase, tuple(raw)
        self.of_writing_into_leaf = "leaf Variable that requires grad" in first
        self.of_inference_tensor = "Inference tensor" in first

    def as_input_error(self, case: Case) -> InputError:
        """What to tell the user whose reference, or whose tensors, admit no check."""
        if self.of_inference_tensor:
            return InputError(
                f"{self.subject.title} must hold no tensor made inside torch.inference_mode",
                "its forward raised that inference tensors cannot be saved for backward",
                "Make the module, and what the function closes over, outside of it, or clone it.",
            )
        both = self.subject.surrogate is not None
        what = "the surrogate, with the forward beside it," if both else "the reference"
        return InputError(
            f"{what} must accept the inputs",
            f"{self} ({case.label})",
            f"Call it on them in {dtype_name(case.arguments[0].dtype)} to see; "
            'precision="native" keeps the dtype given, and wrt= leaves out what has no gradient.',
        )


@dataclass(frozen=True)
class Run:
    """The candidate at a case, and the reference there if one is given.

    `got` are the candidate's gradients in the order of `case.wrt`; `true` the reference's, and
    `expected` its outputs; `shared` the Functions that both apply, of which the reference is no
    witness.
    """

    candidate: Subject
    reference: Subject | None
    case: Case
    tape: Tape
    cotangents: Cotangents
    got: Gradients
    raw: tuple[RawReturn, ...]
    expected: tuple[Tensor, ...] | None
    true: Gradients | None
    seed: int
    shared: frozenset[type[Function]] = frozenset()

    def generator(self) -> Generator:
        """Random numbers of the run's seed, other than those of its cotangents."""
        return Generator().manual_seed(self.seed + 1)

    @cached_property
    def outputs(self) -> list[Tensor]:
        """The differentiable outputs, off the tape."""
        outputs = [self.tape.outputs[i].detach() for i in self.cotangents]
        return [y.clone() for y in outputs] if self.tape.frees_outputs else outputs

    @property
    def compares(self) -> bool:
        """Whether there is a gradient with an entry, of an output with an entry."""
        return self.case.elements > 0 and any(c.numel() for c in self.cotangents.values())

    @cached_property
    def epsilon(self) -> float:
        """The machine epsilon of the coarsest tensor that takes part."""
        return precision([*self.case.arguments, *self.outputs])

    @cached_property
    def output_size(self) -> float:
        """√Σ (c y)²: the size of the outputs as the cotangents weigh them."""
        products = [c * y for c, y in zip(self.cotangents.values(), self.outputs, strict=True)]
        size = norm(products)
        return size if math.isfinite(size) else norm(torch.nan_to_num(p, 0, 0, 0) for p in products)

    @cached_property
    def _repeats(self) -> bool:
        """Whether a second backward through the tape gives the same: some are for one use."""
        try:
            again = self.tape.gradients(self.cotangents)
        except Exception:
            return False
        return all(agree(before, after) for before, after in zip(self.got, again, strict=True))

    def without(self, names: Collection[str]) -> "Run | None":
        """The same with some arguments not differentiated; None if refused, or if none is left."""
        if not names:
            return self
        named = zip(self.case.wrt, self.case.argument_names, strict=True)
        case = self.case.without([place for place, name in named if name in names])
        try:
            return run_both(self.candidate, self.reference, case, self.seed) if case.wrt else None
        except RefusedError:
            return None

    def gradients_to(self, cotangents: Cotangents) -> Gradients:
        """The candidate's gradients to other cotangents; what it raises becomes `RefusedError`."""
        tape = self.tape if self._repeats else forward(self.candidate, self.case)
        return backward(self.candidate, tape, cotangents)

    @property
    def makes_sense(self) -> bool:
        """Whether the outputs that should come, or those that came, are finite and not absurd."""
        outputs = self.tape.outputs if self.expected is None else self.expected
        told = [*outputs, *(g for g in self.true or () if g is not None)]
        return are_finite(outputs) and not any(
            bool((y.detach().abs() > ABSURD).any()) for y in told if is_floating(y)
        )

    @cached_property
    def claimed(self) -> list[Tensor]:
        """The candidate's gradients with zeros for None: that is what None means."""
        return [
            torch.zeros_like(x) if g is None else g.detach()
            for g, x in zip(self.got, self.case.arguments, strict=True)
        ]


def forward(subject: Subject, case: Case) -> Tape:
    """One forward on a tape; what it raises becomes `RefusedError`."""
    try:
        return Tape(subject, case)
    except InputError:
        raise
    except Exception as error:
        raise RefusedError(subject, "forward", error) from error


def backward(
    subject: Subject, tape: Tape, cotangents: Cotangents, raw: Sequence[RawReturn] = ()
) -> Gradients:
    """One backward; what it raises becomes `RefusedError`, with what is recorded in `raw`."""
    try:
        return tape.gradients(cotangents)
    except Exception as error:
        raise RefusedError(subject, "backward", error, raw) from error


def run_both(
    candidate: Subject, reference: Subject | None, case: Case, seed: int, only_finite: bool = False
) -> Run:
    """Run candidate and reference at a case under the same random cotangents.

    The reference goes first: where it refuses, nothing is asked of the candidate. With
    `only_finite` no backward is called where the outputs that should come are not: torch has some
    that index with NaN, and end the process.
    """
    expected = true = None
    shared: frozenset[type[Function]] = frozenset()
    if reference is not None:
        reference_tape = forward(reference, case)
        expected = tuple(y.detach() for y in reference_tape.outputs)
        if only_finite and not are_finite(reference_tape.outputs):
            raise NotFiniteError(case.label)
    tape = forward(candidate, case)
    if only_finite and reference is None and not are_finite(tape.outputs):
        raise NotFiniteError(case.label)
    cotangents = tape.draw_cotangents(Generator().manual_seed(seed))
    if reference is not None:
        require_same_structure(candidate, tape, reference, reference_tape)
        true = backward(reference, reference_tape, cotangents)
        shared = custom_functions(tape.outputs) & custom_functions(reference_tape.outputs)
    with recording(tape.outputs) as raw:
        returned = backward(candidate, tape, cotangents, raw)
    got = tuple(None if g is None else copy_layout(g) for g in returned)  # the buffer may be reused
    return Run(
        candidate, reference, case, tape, cotangents, got, tuple(raw), expected, true, seed, shared
    )


def require_same_structure(
    candidate: Subject, tape: Tape, reference: Subject, reference_tape: Tape
) -> None:
    """The outputs of both must have the same count and shapes."""
    mine = [tuple(y.shape) for y in tape.outputs]
    its = [tuple(y.shape) for y in reference_tape.outputs]
    if mine != its:
        require_same_order(candidate, reference, tape.case)
        raise InputError(
            "candidate and reference must return the same number of tensors, of the same shapes",
            f"{candidate.title} returned {_shapes(mine)} and {reference.title} {_shapes(its)}",
            "Write a reference that computes just what the candidate does, reduction included.",
        )


def require_same_order(candidate: Subject, reference: Subject, case: Case) -> None:
    """Dictionaries of outputs must have their keys in the same order: it says what is compared."""
    mine, its = _paths_of_outputs(candidate, case), _paths_of_outputs(reference, case)
    if mine != its and sorted(mine) == sorted(its):
        raise InputError(
            "candidate and reference must return the keys of a dictionary in the same order",
            f"{candidate.title} returned {', '.join(mine)} and {reference.title} {', '.join(its)}",
            "Reorder one of them: outputs are compared one after the other.",
        )


def _paths_of_outputs(subject: Subject, case: Case) -> list[str]:
    """Where in what it returns each output stands, as `['loss']` in a dictionary."""
    seed_forward(case)
    with torch.no_grad():
        returned = subject.call(*pytree.tree_unflatten(fresh(case.leaves), case.spec))
    paths, _ = pytree.tree_flatten_with_path(returned)
    return [pytree.keystr(path) for path, y in paths if isinstance(y, Tensor)]


def _shapes(shapes: Sequence[tuple[int, ...]]) -> str:
    return ", ".join(map(str, shapes)) or "no tensor"
