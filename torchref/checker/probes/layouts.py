"""The same values in another memory: transposed, strided, offset and expanded tensors."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from torchref.checker.execution.arithmetic import agree
from torchref.checker.execution.run import RefusedError, Run, backward, forward, run_both
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


def cotangent_layouts(run: Run) -> Outcome:
    """grad_output in every layout: consumers hand over what suits them."""
    for what, plain, strange in _cotangents(run):
        expected = run.gradients_to(plain)
        try:
            got = run.gradients_to(strange)
        except RefusedError as error:
            if _writes_into_expanded(error):
                continue
            return _found(run, None, None, f"{what} grad_output: {first_line(error)}")
        difference = first_difference(run, expected, got)
        if difference is not None:
            name, element, values = difference
            return _found(run, name, element, f"for {what} grad_output {values}")
    return Outcome()


def _cotangents(run: Run) -> Iterator[tuple[str, Cotangents, Cotangents]]:
    for name, layout in LAYOUTS.items():
        yield f"a {name}", run.cotangents, {i: layout(c) for i, c in run.cotangents.items()}
    for dim in range(max((c.dim() for c in run.cotangents.values()), default=0)):
        expanded = {
            i: c.narrow(dim, 0, 1).expand(c.shape)
            for i, c in run.cotangents.items()
            if c.dim() > dim and c.shape[dim] > 1
        }
        if expanded:
            copied = {i: c.contiguous() for i, c in expanded.items()}
            yield f"a grad_output expanded along dimension {dim} as", copied, expanded
    flat = {i: c.new_tensor(0.75).expand(c.shape) for i, c in run.cotangents.items()}
    copied = {i: c.contiguous() for i, c in flat.items()}
    yield "the expanded scalar that sum() sends back as", copied, flat


def input_layouts(run: Run) -> Outcome:
    """Each tensor input in another layout; a forward that refuses it is not blamed."""
    for place, leaf in enumerate(run.case.leaves):
        if not isinstance(leaf, Tensor) or not leaf.dim() or leaf.layout is not torch.strided:
            continue
        for what, plain, strange in _inputs(leaf):
            case = run.case.derived(f"{what} {run.case.names[place]}", {place: strange})
            try:
                tape = forward(run.candidate, case)
                expected = run.got if plain is leaf else _expected(run, place, plain)
            except RefusedError:
                continue
            try:
                got = tape.gradients(run.cotangents)
            except Exception as error:
                if _writes_into_expanded(error):
                    continue
                return _found(run, run.case.names[place], None, f"{what}: {first_line(error)}")
            difference = first_difference(run, expected, got)
            if difference is None:
                continue
            if _draws_by_layout(run, tape) if plain is leaf else _is_choice(run, place, plain):
                continue
            name, element, values = difference
            article = "an" if what.startswith("e") else "a"
            evidence = f"for {article} {what} {run.case.names[place]} the gradient {values}"
            return _found(run, name, element, evidence)
    return Outcome()


def _inputs(leaf: Tensor) -> Iterator[tuple[str, Tensor, Tensor]]:
    for name, layout in LAYOUTS.items():
        yield name, leaf, layout(leaf)
    for dim in range(leaf.dim()):
        if leaf.shape[dim] > 1:
            expanded = leaf.narrow(dim, 0, 1).expand(leaf.shape)
            yield f"expanded (along dimension {dim})", expanded.contiguous(), expanded


def _expected(run: Run, place: int, plain: Tensor) -> tuple[Tensor | None, ...]:
    case = run.case.derived("contiguous", {place: plain})
    return backward(run.candidate, forward(run.candidate, case), run.cotangents)


def _draws_by_layout(run: Run, tape: Tape) -> bool:
    """Whether a dropout has drawn its numbers in the order of memory: another mask, no mistake."""
    there = [tape.outputs[i].detach() for i in run.cotangents]
    if all(agree(here, y) for here, y in zip(run.outputs, there, strict=True)):
        return False
    again = Tape(run.candidate, run.case, (), seed=run.seed + 1)
    anew = [again.outputs[i].detach() for i in run.cotangents]
    return not all(agree(here, y) for here, y in zip(run.outputs, anew, strict=True))


def _is_choice(run: Run, place: int, plain: Tensor) -> bool:
    """Whether there is no one derivative where an expansion repeats values.

    They are a tie to a median and a singular matrix to a determinant: then differences of the
    forward do not confirm the gradient, and any layout may have one of its own.
    """
    case = run.case.derived("contiguous", {place: plain})
    there = run_both(run.candidate, None, case, run.seed)
    if not is_well_posed(there, run.outputs):
        return True
    result = judge_by_differences(there, promised=False)
    return not result.told or bool(result.faults or result.notes)


def _writes_into_expanded(error: Exception) -> bool:
    """What works in place refuses expanded memory, and whether it may is the mutation's affair."""
    return "single memory location" in str(error)


def _found(run: Run, name: str | None, element: tuple[int, ...] | None, evidence: str) -> Outcome:
    return Outcome([Finding("layout-dependent", name, element, evidence, run.case.label)])
