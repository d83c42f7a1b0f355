"""The same values in another memory: transposed, strided, offset and expanded tensors."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from torchref.checker.execution.arithmetic import agree
from torchref.checker.execution.run import RefusedError, Scene, backward, forward, play
from torchref.checker.execution.tape import Cotangents, Tape
from torchref.checker.inputs.well_posed import is_well_posed
from torchref.checker.oracles.differences import judge_by_differences
from torchref.checker.probes.difference import first_difference
from torchref.checker.probes.probe import Outcome, first_line
from torchref.checker.report.findings import Finding


def transposed(x: Tensor) -> Tensor:
    """The values of x in column-major order."""
    order = tuple(reversed(range(x.dim())))
    return x.permute(order).contiguous().permute(order)


def strided(x: Tensor) -> Tensor:
    """The values of x in every other place of a larger memory, after an offset."""
    filler = True if x.dtype is torch.bool else 7
    if x.dim():
        view = x.new_full((*x.shape[:-1], 2 * x.shape[-1] + 1), filler)[..., 1::2]
    else:
        view = x.new_full((3,), filler)[1]
    view.copy_(x)
    return view


LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {"transposed": transposed, "strided": strided}


def cotangent_layouts(scene: Scene) -> Outcome:
    """grad_output in every layout: consumers hand over what suits them."""
    for what, plain, strange in _cotangents(scene):
        try:
            expected = scene.tape.gradients(plain)
            got = scene.tape.gradients(strange)
        except Exception as error:
            return _found(scene, None, None, f"{what} grad_output: {first_line(error)}")
        difference = first_difference(scene, expected, got)
        if difference is not None:
            name, element, values = difference
            return _found(scene, name, element, f"for {what} grad_output {values}")
    return Outcome()


def _cotangents(scene: Scene) -> Iterator[tuple[str, Cotangents, Cotangents]]:
    for name, layout in LAYOUTS.items():
        yield f"a {name}", scene.cotangents, {i: layout(c) for i, c in scene.cotangents.items()}
    for dim in range(max((c.dim() for c in scene.cotangents.values()), default=0)):
        expanded = {
            i: c.narrow(dim, 0, 1).expand(c.shape)
            for i, c in scene.cotangents.items()
            if c.dim() > dim and c.shape[dim] > 1
        }
        if expanded:
            copied = {i: c.contiguous() for i, c in expanded.items()}
            yield f"a grad_output expanded along dimension {dim} as", copied, expanded
    flat = {i: c.new_tensor(0.75).expand(c.shape) for i, c in scene.cotangents.items()}
    copied = {i: c.contiguous() for i, c in flat.items()}
    yield "the expanded scalar that sum() sends back as", copied, flat


def input_layouts(scene: Scene) -> Outcome:
    """Each tensor input in another layout; a forward that refuses it is not blamed."""
    for place, leaf in enumerate(scene.case.leaves):
        if not isinstance(leaf, Tensor) or not leaf.dim() or leaf.layout is not torch.strided:
            continue
        for what, plain, strange in _inputs(leaf):
            case = scene.case.derived(f"{what} {scene.case.names[place]}", {place: strange})
            try:
                tape = forward(scene.candidate, case)
                expected = scene.got if plain is leaf else _expected(scene, place, plain)
            except RefusedError:
                continue
            try:
                got = tape.gradients(scene.cotangents)
            except Exception as error:
                return _found(scene, scene.case.names[place], None, f"{what}: {first_line(error)}")
            difference = first_difference(scene, expected, got)
            if difference is None:
                continue
            if _draws_by_layout(scene, tape) if plain is leaf else _is_choice(scene, place, plain):
                continue
            name, element, values = difference
            article = "an" if what.startswith("e") else "a"
            evidence = f"for {article} {what} {scene.case.names[place]} the gradient {values}"
            return _found(scene, name, element, evidence)
    return Outcome()


def _inputs(leaf: Tensor) -> Iterator[tuple[str, Tensor, Tensor]]:
    for name, layout in LAYOUTS.items():
        yield name, leaf, layout(leaf)
    for dim in range(leaf.dim()):
        if leaf.shape[dim] > 1:
            expanded = leaf.narrow(dim, 0, 1).expand(leaf.shape)
            yield f"expanded (along dimension {dim})", expanded.contiguous(), expanded


def _expected(scene: Scene, place: int, plain: Tensor) -> tuple[Tensor | None, ...]:
    case = scene.case.derived("contiguous", {place: plain})
    return backward(scene.candidate, forward(scene.candidate, case), scene.cotangents)


def _draws_by_layout(scene: Scene, tape: Tape) -> bool:
    """Whether a dropout has drawn its numbers in the order of memory: another mask, no mistake."""
    there = [tape.outputs[i].detach() for i in scene.cotangents]
    if all(agree(here, y) for here, y in zip(scene.outputs, there, strict=True)):
        return False
    again = Tape(scene.candidate, scene.case, (), seed=scene.seed + 1)
    anew = [again.outputs[i].detach() for i in scene.cotangents]
    return not all(agree(here, y) for here, y in zip(scene.outputs, anew, strict=True))


def _is_choice(scene: Scene, place: int, plain: Tensor) -> bool:
    """Whether there is no one derivative where an expansion repeats values.

    They are a tie to a median and a singular matrix to a determinant: then differences of the
    forward do not confirm the gradient, and any layout may have one of its own.
    """
    case = scene.case.derived("contiguous", {place: plain})
    there = play(scene.candidate, None, case, scene.seed)
    if not is_well_posed(there, scene.outputs):
        return True
    judgement = judge_by_differences(there, promised=False)
    return not judgement.told or bool(judgement.faults or judgement.notes)


def _found(
    scene: Scene, name: str | None, element: tuple[int, ...] | None, evidence: str
) -> Outcome:
    return Outcome([Finding("layout-dependent", name, element, evidence, scene.case.label)])
