"""torch.func: vmap against a loop, the gradient inside it and the gradient through it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor
from torch.autograd import Function

from torchref.checker.execution.arithmetic import ORDER, agree, precision
from torchref.checker.execution.raw_returns import custom_nodes, function_of
from torchref.checker.execution.run import Run
from torchref.checker.execution.tape import fresh, seed_forward
from torchref.checker.oracles.tolerance import conditioning, gradient_floor
from torchref.checker.probes.probe import Outcome, first_line
from torchref.checker.report.findings import Finding

BATCH = 3  # samples under vmap

InDims = tuple[int | None, ...]
Tensors = tuple[Tensor, ...]
Pulled = tuple[Tensors, Tensors]


@dataclass(frozen=True)
class Batch:
    """Samples side by side: along which dimension of each argument, or None where all share it."""

    run: Run
    in_dims: InDims

    def sample(self, k: int) -> list[Tensor]:
        """The arguments of one sample; each has the entries given, turned around."""
        return [
            x if dim is None else torch.roll(x.reshape(-1), k).reshape(x.shape)
            for x, dim in zip(self.run.case.arguments, self.in_dims, strict=True)
        ]

    def arguments(self) -> list[Tensor]:
        """What vmap takes."""
        columns = zip(*(self.sample(k) for k in range(BATCH)), strict=True)
        return [
            column[0] if dim is None else torch.stack(column, dim)
            for column, dim in zip(columns, self.in_dims, strict=True)
        ]

    @property
    def told(self) -> str:
        if set(self.in_dims) == {0}:
            return "vmap"
        return f"vmap with in_dims={self.in_dims}"


def vmap_agrees(run: Run) -> Outcome:
    """Each of three samples under vmap, gradient and output, against one after the other.

    Torch's own rules are right for every choice of dimensions; a handwritten one is tried for
    several, and the gradient is taken through it too.
    """
    if any(x.is_complex() for x in run.case.arguments):
        return Outcome.skip("tried with real numbers only")
    by_hand = _has_rule_of_its_own(run)
    refused = ""
    offered = False
    for in_dims in _choices(run, by_hand):
        batch = Batch(run, in_dims)
        for attempt in BY_HAND if by_hand else BY_TORCH:
            try:
                found = attempt(batch)
            except Exception as error:
                refused = refused or f"not offered: {first_line(error)}"
                continue
            offered = True
            if found is not None:
                return Outcome([found])
    return Outcome() if offered else Outcome.skip(refused)


def _has_rule_of_its_own(run: Run) -> bool:
    rules = [function_of(node).vmap for node in custom_nodes(run.tape.outputs)]
    return any(rule is not Function.vmap for rule in rules)


def _choices(run: Run, by_hand: bool) -> Iterator[InDims]:
    """All arguments batched; by hand, along another dimension too, and all but one or one alone."""
    count = len(run.case.wrt)
    first: InDims = (0,) * count
    yield first
    if not by_hand:
        return
    second = tuple(min(1, x.dim()) for x in run.case.arguments)
    if second != first:
        yield second
    for place in range(count if count > 1 else 0):
        yield (*first[:place], None, *first[place + 1 :])
    for place in range(count if count > 2 else 0):
        yield (*(None,) * place, 0, *(None,) * (count - place - 1))


def _outputs_together(batch: Batch) -> Finding | None:
    """The outputs alone: of another shape, they could not even be weighed."""
    run = batch.run
    seed_forward(run.case)
    alone = [_outputs(run)(*batch.sample(k)) for k in range(BATCH)]
    seed_forward(run.case)
    outputs = torch.func.vmap(_outputs(run), batch.in_dims, randomness="error")(*batch.arguments())
    for own, together in zip(zip(*alone, strict=True), outputs, strict=True):
        if not agree(torch.stack(own), together):
            return _wrong(batch, None, "the samples have other outputs than alone")
    return None


def _gradient_inside(batch: Batch) -> Finding | None:
    """The gradient of each sample, all under one vmap."""
    run, alone = batch.run, _one_by_one(batch)
    seed_forward(run.case)
    pulled = torch.func.vmap(_pulled(run, _outputs(run)), batch.in_dims, randomness="error")
    gradients, outputs = pulled(*batch.arguments())
    for k, (its_gradients, its_outputs) in enumerate(alone):
        for own, all_together in zip(its_outputs, outputs, strict=True):
            if not agree(own, all_together[k]):
                return _wrong(batch, None, f"sample {k} has another output than alone")
        for place, own in enumerate(its_gradients):
            if not _alike(run, place, own, gradients[place][k]):
                return _wrong(batch, place, f"sample {k} has another gradient than alone")
    if None not in batch.in_dims:
        for place, own in enumerate(alone[0][0]):
            if not _alike(run, place, own, run.got[place]):
                name = run.case.argument_names[place]
                evidence = "torch.func gives another gradient than autograd"
                return Finding("vmap-wrong", name, None, evidence, run.case.label)
    return None


def _gradient_through(batch: Batch) -> Finding | None:
    """The gradient of all samples together: what they share has the sum of theirs."""
    run, alone = batch.run, _one_by_one(batch)
    together = torch.func.vmap(_outputs(run), batch.in_dims, randomness="error")
    seed_forward(run.case)
    through, _ = _pulled(run, together)(*batch.arguments())
    for place, (got, dim) in enumerate(zip(through, batch.in_dims, strict=True)):
        theirs = torch.stack([gradients[place] for gradients, _ in alone])
        floor = ORDER * precision([theirs]) * float(theirs.abs().max())
        if dim is None and not _alike(run, place, theirs.sum(0), got, floor):
            evidence = "the gradient through it is not the sum over the samples"
            return _wrong(batch, place, evidence)
        if dim is not None and not _alike(run, place, theirs, got.movedim(dim, 0), floor):
            return _wrong(batch, place, "the gradient through it is not that of a loop")
    return None


def _alike(run: Run, place: int, one: Tensor, other: Tensor | None, floor: float = 0.0) -> bool:
    """As near as rounding in the outputs lets them be, or in a formula that cancels."""
    if agree(one, other, floor):
        return True
    floor += gradient_floor(run, run.case.arguments[place])
    if agree(one, other, floor):
        return True
    reach = conditioning(run, run.got)[place]
    return agree(one, other, floor + float(reach.max()) if reach.numel() else floor)


BY_TORCH = (_gradient_inside,)
BY_HAND = (_outputs_together, _gradient_inside, _gradient_through)


def _one_by_one(batch: Batch) -> list[Pulled]:
    seed_forward(batch.run.case)
    pulled = _pulled(batch.run, _outputs(batch.run))
    return [pulled(*batch.sample(k)) for k in range(BATCH)]


def _pulled(run: Run, outputs_of: Callable[..., Tensors]) -> Callable[..., Pulled]:
    """Gradients and outputs at some arguments, by torch.func.

    `torch.func.grad` makes a level and calls autograd there. Here `torch.func.vjp` makes it, and
    the call is ours: theirs loads torch's compiler first, which takes half a second.
    """

    def within(*arguments: Tensor) -> tuple[Tensor, Pulled]:
        outputs = outputs_of(*arguments)
        weighed = _weighed(run, outputs)
        if not weighed.requires_grad:
            return weighed, (tuple(torch.zeros_like(x) for x in arguments), outputs)
        gradients = torch.autograd.grad(
            weighed, arguments, create_graph=True, materialize_grads=True
        )
        return weighed, (gradients, outputs)

    def pulled(*arguments: Tensor) -> Pulled:
        return cast(Pulled, torch.func.vjp(within, *arguments, has_aux=True)[-1])

    return pulled


def _outputs(run: Run) -> Callable[..., Tensors]:
    """The differentiable outputs as a function of the differentiated arguments."""

    def outputs(*arguments: Tensor) -> Tensors:
        leaves = fresh(run.case.leaves)
        for i, x in zip(run.case.wrt, arguments, strict=True):
            leaves[i] = x
        returned = run.candidate.outputs(run.case.spec, leaves)
        return tuple(returned[i] for i in run.cotangents)

    return outputs


def _weighed(run: Run, outputs: Sequence[Tensor]) -> Tensor:
    weights = run.cotangents.values()
    return torch.stack([(y * c).sum() for y, c in zip(outputs, weights, strict=True)]).sum()


def _wrong(batch: Batch, place: int | None, what: str) -> Finding:
    case = batch.run.case
    name = None if place is None else case.argument_names[place]
    return Finding("vmap-wrong", name, None, f"under {batch.told} {what}", case.label)
