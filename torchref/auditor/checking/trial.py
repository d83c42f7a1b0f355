"""One forward of a kept call, and its backward for any cotangents: what the call does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from torchref.auditor.checking.replay import Replay
from torchref.auditor.recording.kept_call import copied


@dataclass(frozen=True)
class Trial:
    """One forward: what it was given, its outputs, and the gradients to any cotangents.

    `names` are those of the arguments that are differentiated, `learnt` their values.
    """

    names: list[str]
    learnt: list[Tensor]
    given: list[Tensor]
    outputs: list[Tensor]
    gradients: Callable[[list[Tensor]], Sequence[Tensor | None]]

    @classmethod
    def of(cls, replay: Replay) -> "Trial":
        call = replay.call
        leaves, spec = pytree.tree_flatten((call.args, call.kwargs))
        fresh = [copied(x) if isinstance(x, Tensor) else x for x in leaves]
        moving = [x for x, needs in zip(fresh, call.requires_grad, strict=True) if needs]
        before = [x.clone() for x in moving]
        for x in moving:
            x.requires_grad_()
        args, kwargs = pytree.tree_unflatten(fresh, spec)
        with torch.enable_grad():
            returned = pytree.tree_leaves(replay.apply(*args, **kwargs))
        outputs = [y for y in returned if isinstance(y, Tensor) and y.requires_grad]

        def gradients(cotangents: list[Tensor]) -> Sequence[Tensor | None]:
            return torch.autograd.grad(
                outputs, moving, cotangents, retain_graph=True, allow_unused=True
            )

        given = [x for x in leaves if isinstance(x, Tensor)]
        return cls(replay.differentiated, before, given, outputs, gradients)

    def cotangents(self) -> list[Tensor]:
        """Random ones."""
        return [torch.randn(y.shape, dtype=torch.float64).to(y) for y in self.outputs]
