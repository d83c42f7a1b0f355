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
    """The gradient of each of three samples under vmap, against one after the other."""
    case = scene.case
    batches = [
        torch.stack([torch.roll(x.reshape(-1), k).reshape(x.shape) for k in range(BATCH)])
        for x in case.arguments
    ]

    def pulled(*arguments: Tensor) -> tuple[Tensor, ...]:
        leaves: list[Any] = list(case.leaves)
        for i, x in zip(case.wrt, arguments, strict=True):
            leaves[i] = x

        def weighed(*inner: Tensor) -> Tensor:
            for i, x in zip(case.wrt, inner, strict=True):
                leaves[i] = x
            outputs = scene.candidate.outputs(case.spec, leaves)
            return torch.stack([(outputs[i] * c).sum() for i, c in scene.cotangents.items()]).sum()

        gradients: tuple[Tensor, ...] = torch.func.grad(
            weighed, argnums=tuple(range(len(arguments)))
        )(*arguments)
        return gradients

    if any(x.is_complex() for x in case.arguments):
        return Outcome.skip("torch.func.grad takes real outputs only")
    try:
        seed_forward(scene.case)
        single = [pulled(*(b[k] for b in batches)) for k in range(BATCH)]
        seed_forward(scene.case)
        together = torch.func.vmap(pulled, randomness="error")(*batches)
    except Exception as error:
        return Outcome.skip(f"not offered: {first_line(error)}")
    for place, batch in enumerate(together):
        for k in range(BATCH):
            if not agree(single[k][place], batch[k]):
                name = case.argument_names[place]
                evidence = f"sample {k} of {BATCH} has another gradient under vmap than alone"
                return Outcome([Finding("vmap-wrong", name, None, evidence, case.label)])
    for place, alone in enumerate(single[0]):
        if not agree(alone, scene.got[place]):
            name = case.argument_names[place]
            evidence = "torch.func.grad gives another gradient than autograd"
            return Outcome([Finding("vmap-wrong", name, None, evidence, case.label)])
    return Outcome()
