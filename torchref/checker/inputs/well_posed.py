"""Whether a variation has an answer: one rounding of the inputs must not decide what it is.

The inverse of a singular matrix is noise or does not exist, and which of the two is up to the
processor: a pivot is 0, or it is 1e-17. So copies are made whose inputs differ by a rounding.
Where an entry has many values, or none in some of the copies, nobody is blamed for its value. A
jump is no noise: there it has two values, one on either side.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Generator, Tensor
from torch.linalg import LinAlgError  # type: ignore[attr-defined]  # torch does not list it

from torchref.checker.execution.arithmetic import DOUBLE, are_finite, draw_signed, typical_size
from torchref.checker.execution.case import Case
from torchref.checker.execution.run import RefusedError, Run, backward, forward
from torchref.checker.execution.subject import Subject

COPIES = 8  # of the inputs, each rounded otherwise
MANY = 3  # different values of one entry: to either side of a jump there are two
ANOTHER = 0.1  # of its own size: a gradient that changes by so much is another one
Answer = Sequence[Tensor | None]


def is_well_posed(run: Run, outputs_as_given: Sequence[Tensor]) -> bool:
    """Whether outputs and true gradients stay what they are when the inputs are rounded.

    An output that loses half of its digits to one rounding is noise; it is measured in units of
    its size here or at the inputs given, whichever is larger, for to cancel is no noise. A
    gradient is noise that becomes another one each time and is so steep that a rounding of the
    inputs would cost the outputs that many digits. Without a reference, the candidate's; in
    float32 that may have lost all its digits where the outputs have not, steep or not.
    """
    half = run.epsilon**0.5
    given = [typical_size(y) for y in outputs_as_given]
    for subject in filter(None, (run.reference, run.candidate)):
        try:
            outputs = [forward(subject, case).outputs for case in _rounded(run.case, run.seed)]
        except RefusedError:
            return False
        units = [max(a, typical_size(y)) for a, y in zip(given, outputs[0], strict=False)]
        if any(exist := [are_finite(y) for y in outputs]) and not all(exist):
            return False
        if _is_noise(outputs, units, half):
            return False
    knows = run.reference or run.candidate
    try:
        gradients = [
            backward(knows, forward(knows, case), run.cotangents)
            for case in _rounded(run.case, run.seed)
        ]
    except RefusedError:
        return False
    steep = run.output_size / half if run.reference or run.epsilon <= DOUBLE else 0.0
    return not any(
        _is_noise([[g[place]] for g in gradients], [size], ANOTHER)
        for place, x in enumerate(run.case.arguments)
        if (size := _size(gradients[0][place])) * (typical_size(x) or 1.0) > steep
    )


def is_refused_by_rounding(subject: Subject, case: Case, refusal: RefusedError, seed: int) -> bool:
    """Whether a backward that refuses a case accepts it once the inputs are rounded otherwise.

    A singular matrix is one up to a rounding of the whole matrix, anything else entry by entry.
    """
    by_tensor = isinstance(refusal.__cause__, LinAlgError)
    for copy in _rounded(case, seed, by_tensor):
        try:
            tape = forward(subject, copy)
            backward(subject, tape, tape.draw_cotangents(Generator().manual_seed(seed)))
        except RefusedError:
            continue
        return True
    return False


def _rounded(case: Case, seed: int, by_tensor: bool = False) -> Iterator[Case]:
    """Copies whose inputs differ by a rounding of each entry, or of the tensor's typical one."""
    generator = Generator().manual_seed(seed)
    for _ in range(COPIES):

        def rounded(x: Tensor) -> Tensor:
            size = (typical_size(x) or 1.0) if by_tensor else x
            return x + torch.finfo(x.dtype).eps * draw_signed(x, generator) * size

        yield case.perturbed(case.label, rounded)


def _is_noise(answers: Sequence[Answer], units: Sequence[float], share: float) -> bool:
    """Whether some entry has many values, so much of its tensor's unit apart from one another."""
    for part, unit in enumerate(units):
        values = [_real(y) for answer in answers if (y := answer[part]) is not None]
        if values and unit > 0:
            gaps = torch.stack(values).sort(dim=0).values.diff(dim=0) > share * unit
            if bool((gaps.sum(0) >= MANY - 1).any()):
                return True
    return False


def _real(x: Tensor) -> Tensor:
    return torch.view_as_real(x.detach().resolve_conj()) if x.is_complex() else x.detach()


def _size(gradient: Tensor | None) -> float:
    return 0.0 if gradient is None else typical_size(gradient)
