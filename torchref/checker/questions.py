"""A wrong gradient is often the right answer to another question: which one?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from torchref.checker.case import Case
from torchref.checker.diagnosis import Suspicion
from torchref.checker.diagnosis.local_derivative import DERIVATIVES
from torchref.checker.diagnosis.suspicion import same
from torchref.checker.scene import RefusedError, Scene, backward, forward
from torchref.checker.subject import Subject
from torchref.checker.tape import Cotangents
from torchref.checker.tolerance import DOUBLE

LOW_PRECISIONS = (torch.bfloat16, torch.float16, torch.float32)


@dataclass(frozen=True)
class Question:
    """Another case or other cotangents, and what is wrong with an answer to it."""

    cause: str
    evidence: str
    case: Case
    cotangents: Cotangents


def questions_answered(scene: Scene, place: int, got: Tensor) -> Iterator[Suspicion]:
    """The causes for which `got` is the reference's gradient of one argument elsewhere."""
    if scene.reference is None:
        return
    for ask in ASKED:
        for question in ask(scene):
            true = _answer(scene.reference, question, place)
            if true is not None and same(got, true):
                yield Suspicion(question.cause, question.evidence)
                break


def _answer(reference: Subject, question: Question, place: int) -> Tensor | None:
    try:
        tape = forward(reference, question.case)
        return backward(reference, tape, question.cotangents)[place]
    except RefusedError:
        return None


def one_slice_of_grad_output(scene: Scene) -> Iterator[Question]:
    """A sum over grad_output of which only the first or the last part was taken."""
    for place, c in scene.cotangents.items():
        for dim in range(c.dim()):
            for index, which in ((0, "first"), (-1, "last")):
                if c.shape[dim] > 1:
                    alone = torch.zeros_like(c)
                    alone.select(dim, index).copy_(c.select(dim, index))
                    evidence = f"only the {which} slice of grad_output along dimension {dim} enters"
                    cotangents = {**scene.cotangents, place: alone}
                    yield Question("missing-reduction", evidence, scene.case, cotangents)


def inputs_cast(scene: Scene) -> Iterator[Question]:
    """Inputs that were rounded to a lower precision on their way into backward."""
    if scene.epsilon <= DOUBLE:
        for dtype in LOW_PRECISIONS:
            case = scene.case.to(dtype).to(torch.float64)
            name = str(dtype).removeprefix("torch.")
            evidence = f"it is the true gradient at inputs cast to {name}"
            yield Question("precision-loss", evidence, case, scene.cotangents)


def argument_transposed(scene: Scene) -> Iterator[Question]:
    """A square argument that enters transposed."""
    for i in scene.case.wrt:
        x = scene.case.leaves[i]
        if x.dim() > 1 and x.shape[-1] == x.shape[-2] > 1:
            case = scene.case.derived("transposed", {i: x.mT.contiguous()})
            evidence = f"it is the true gradient for {scene.case.names[i]} transposed"
            yield Question("transposed", evidence, case, scene.cotangents)


def argument_conjugated(scene: Scene) -> Iterator[Question]:
    """A complex argument that enters as it is: torch's gradient has the conjugate of a factor."""
    for i, z in enumerate(scene.case.leaves):
        if isinstance(z, Tensor) and z.is_complex():
            case = scene.case.derived("conjugated", {i: z.conj().resolve_conj()})
            evidence = f"it is the true gradient for {scene.case.names[i]} conjugated"
            yield Question("sign-flipped", evidence, case, scene.cotangents)


def slope_at_the_output(scene: Scene) -> Iterator[Question]:
    """A grad_output that has not met the slope of the last activation, or has met it twice."""
    if len(scene.cotangents) != 1:
        return
    (place, c), y = next(iter(scene.cotangents.items())), scene.outputs[0]
    if y.is_complex() or y.numel() < 2:
        return
    for formula, derivative in DERIVATIVES.items():
        slope = derivative(y)
        if bool(torch.isfinite(slope).all()) and not bool((slope == 0).any()):
            called = formula.format(v="the output")
            for what, met in (("missing", c / slope), ("once too often", c * slope)):
                evidence = f"{what} at the output: {called}"
                yield Question("missing-local-derivative", evidence, scene.case, {place: met})


ASKED: tuple[Callable[[Scene], Iterator[Question]], ...] = (
    one_slice_of_grad_output,
    inputs_cast,
    argument_transposed,
    argument_conjugated,
    slope_at_the_output,
)
