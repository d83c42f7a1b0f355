"""torch.func: vmap against a loop, and the gradient taken through it."""

from typing import Any

import torch
from torch import Tensor

from torchref.checker.agreement import agree
from torchref.checker.findings import Finding
from torchref.checker.probes.probe import Outcome, first_line
from torchref.checker.scene import Scene
from torchref.checker.tape import seed_forward

BATCH = 3


def vmap_agrees(scene: Scene) -> Outcome:
    """Each of three samples under vmap, gradient and output, against one after the other."""
    case = scene.case
    batches = [
        torch.stack([torch.roll(x.reshape(-1), k).reshape(x.shape) for k in range(BATCH)])
        for x in case.arguments
    ]

    def pulled(*arguments: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Gradients and outputs."""
        leaves: list[Any] = list(case.leaves)

        def weighed(*inner: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
            for i, x in zip(case.wrt, inner, strict=True):
                leaves[i] = x
            returned = scene.candidate.outputs(case.spec, leaves)
            outputs = tuple(returned[i] for i in scene.cotangents)
            weights = scene.cotangents.values()
            total = torch.stack([(y * c).sum() for y, c in zip(outputs, weights, strict=True)])
            return total.sum(), outputs

        everything = tuple(range(len(arguments)))
        return torch.func.grad(weighed, argnums=everything, has_aux=True)(*arguments)

    if any(x.is_complex() for x in case.arguments):
        return Outcome.skip("torch.func.grad takes real outputs only")
    try:
        seed_forward(scene.case)
        single = [pulled(*(b[k] for b in batches)) for k in range(BATCH)]
        seed_forward(scene.case)
        together = torch.func.vmap(pulled, randomness="error")(*batches)
    except Exception as error:
        return Outcome.skip(f"not offered: {first_line(error)}")
    for k, (gradients, outputs) in enumerate(single):
        for name, alone, batch in zip(case.argument_names, gradients, together[0], strict=True):
            if not agree(alone, batch[k]):
                evidence = f"sample {k} of {BATCH} has another gradient under vmap than alone"
                return Outcome([Finding("vmap-wrong", name, None, evidence, case.label)])
        for alone, batch in zip(outputs, together[1], strict=True):
            if not agree(alone, batch[k]):
                evidence = f"sample {k} of {BATCH} has another output under vmap than alone"
                return Outcome([Finding("vmap-wrong", None, None, evidence, case.label)])
    for place, alone in enumerate(single[0][0]):
        if not agree(alone, scene.got[place]):
            name = case.argument_names[place]
            evidence = "torch.func.grad gives another gradient than autograd"
            return Outcome([Finding("vmap-wrong", name, None, evidence, case.label)])
    return Outcome()
