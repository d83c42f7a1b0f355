"""The candidate's forward beside the reference's: a backward is not blamed for a wrong forward."""

import torch
from torch import Tensor

from torchref.checker.findings import Finding
from torchref.checker.numeric import typical_size
from torchref.checker.scene import Scene
from torchref.checker.tape import Tape, identical
from torchref.checker.tolerance import ROUNDINGS

SUBNORMAL = 1e-300  # torch has kernels that leave such numbers where 0 belongs
LOW_PRECISIONS = (torch.bfloat16, torch.float16, torch.float32)


def compare_forwards(scene: Scene) -> list[Finding]:
    """`forward-noisy` where only digits are missing, `forward-wrong` where it is another value."""
    if scene.expected is None:
        return []
    epsilon = scene.epsilon
    for place, (got, true) in enumerate(zip(scene.tape.outputs, scene.expected, strict=True)):
        if identical(got.detach(), true):
            continue
        wrong = ~_close(got.detach(), true, ROUNDINGS * epsilon)
        if not bool(wrong.any()):
            continue
        element = tuple(int(i) for i in wrong.nonzero()[0])
        evidence = (
            f"output {place}{list(element)} is {got[element].item():.9g}, "
            f"the reference's {true[element].item():.9g}"
        )
        noisy = _few_digits(got.detach(), true) or not _repeats(scene, place)
        cause = "forward-noisy" if noisy else "forward-wrong"
        return [Finding(cause, None, element, evidence, scene.case.label)]
    return []


def _close(got: Tensor, true: Tensor, relative: float) -> Tensor:
    if not true.is_floating_point() and not true.is_complex():
        return got == true
    size = torch.nan_to_num(true.abs().double(), 0, 0, 0) + typical_size(true)
    near = (got - true).abs() <= relative * size + SUBNORMAL
    return near | (got == true) | ~torch.isfinite(true.abs())


def _few_digits(got: Tensor, true: Tensor) -> bool:
    """Whether what differs is no more than the rounding of a lower precision."""
    if not true.is_floating_point() or not bool((torch.isfinite(got) | (got == true)).all()):
        return False
    error = float(torch.nan_to_num((got - true).abs()).max())
    size = typical_size(true)
    return any(
        error <= 64 * torch.finfo(dtype).eps * size
        and (dtype is torch.float32 or bool((got.to(dtype).double() == got.double()).all()))
        for dtype in LOW_PRECISIONS
    )


def _repeats(scene: Scene, place: int) -> bool:
    """Whether a second forward gives the same, with other random numbers to draw from."""
    again = Tape(scene.candidate, scene.case, (), seed=scene.seed + 1).outputs[place]
    return bool(_close(again, scene.tape.outputs[place].detach(), ROUNDINGS * 2.0**-52).all())
