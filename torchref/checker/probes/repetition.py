"""The same backward again: anew, on one tape, after another cotangent, after another forward."""

from torch import Tensor

from torchref.checker.execution.arithmetic import agree, draw_signed, is_differentiable
from torchref.checker.execution.case import Case
from torchref.checker.execution.run import RefusedError, Run, run_both
from torchref.checker.execution.tape import Cotangents, Gradients, Tape, seed_forward
from torchref.checker.probes.difference import first_difference
from torchref.checker.probes.probe import Outcome, first_line
from torchref.checker.report.findings import Finding
from torchref.errors import InputError

REPEATS = 10  # a race that shows once in three is missed twice in a hundred
REPEATS_WHEN_LARGE = 3  # of a case that takes long
LARGE = 100_000  # elements, above which a case takes long


def fresh_repeats(run: Run) -> Outcome:
    """New forwards and backwards, with other random numbers free to be drawn in backward."""
    count = REPEATS if run.case.elements <= LARGE else REPEATS_WHEN_LARGE
    results: list[Gradients] = []
    for number in range(count):
        tape = Tape(run.candidate, run.case)
        for before, after in zip(run.outputs, _outputs(run, tape), strict=True):
            if not agree(before, after):
                evidence = "two forwards on the same input differ"
                found = Finding("forward-noisy", None, None, evidence, run.case.label)
                return Outcome([found])
        seed_forward(run.case, number)
        results.append(tape.gradients(run.cotangents))
    first, second, third = results[0], results[1], results[2]
    for later in results[1:]:
        difference = first_difference(run, first, later)
        if difference is None:
            continue
        steps = zip(first, second, third, strict=True)
        moved = first_difference(run, first, second) is not None
        if moved and all(agree(_step(c, b), _step(b, a)) for a, b, c in steps):
            told = "each further forward and backward adds the same", *difference
            return _differs(run, "accumulates", *told)
        if all(first_difference(run, second, r) is None for r in results[2:]):
            told = "from the first forward and backward to all later ones", *difference
            return _differs(run, "stale-state", *told)
        told = (
            f"from one forward and backward to another, of {count} on the same inputs",
            *difference,
        )
        return _differs(run, "nondeterministic", *told)
    return Outcome()


def repeats_on_one_tape(run: Run) -> Outcome:
    """A retained graph gives the same again, and what it gave before does not change."""
    generator = run.generator()
    other = {i: draw_signed(c, generator) for i, c in run.cotangents.items()}
    tape = Tape(run.candidate, run.case)
    try:
        first = tape.gradients(run.cotangents)
        kept = _copies(first)
        between = tape.gradients(other)
        kept_between = _copies(between)
        again = tape.gradients(run.cotangents)
    except Exception as error:
        return Outcome.skip(f"a second backward is refused: {first_line(error)}")
    for results, copies in ((first, kept), (between, kept_between)):
        difference = first_difference(run, copies, results)
        if difference is not None:
            told = "a later backward changed what was returned before", *difference
            return _differs(run, "aliased-buffer", *told, hazard=not _outlives_the_call(run, other))
    difference = first_difference(run, kept, again)
    if difference is None:
        return Outcome()
    added = [_sum(a, b) for a, b in zip(kept, kept_between, strict=True)]
    doubled = [_sum(a, a) for a in kept]
    if any(
        all(agree(got, total) for got, total in zip(again, totals, strict=True))
        for totals in (added, doubled)
    ):
        told = "a later backward through the same graph adds what came before", *difference
        return _differs(run, "accumulates", *told, hazard=True)
    told = "a backward through the same graph, after another with other grad_output", *difference
    return _differs(run, "stale-state", *told, hazard=True)


def _outlives_the_call(run: Run, other: Cotangents) -> bool:
    """Whether a backward through another graph changes what was returned before."""
    first = Tape(run.candidate, run.case).gradients(run.cotangents)
    kept = _copies(first)
    Tape(run.candidate, run.case).gradients(other)
    return first_difference(run, kept, first) is not None


def _outputs(run: Run, tape: Tape) -> list[Tensor]:
    return [tape.outputs[i].detach() for i in run.cotangents]


def _copies(gradients: Gradients) -> Gradients:
    return tuple(None if g is None else g.clone() for g in gradients)


def _step(later: Tensor | None, earlier: Tensor | None) -> Tensor | None:
    return None if later is None or earlier is None else later - earlier


def _sum(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    return None if a is None or b is None else a + b


def _differs(
    run: Run,
    cause: str,
    when: str,
    name: str,
    element: tuple[int, ...] | None,
    values: str,
    hazard: bool = False,
) -> Outcome:
    evidence = f"{when}: {values}"
    return Outcome([Finding(cause, name, element, evidence, run.case.label, hazard=hazard)])


def interleaved(run: Run) -> Outcome:
    """The candidate runs forward at other values between this forward and this backward."""
    tape = Tape(run.candidate, run.case)
    try:
        other = run_both(run.candidate, run.reference, _turned(run.case), run.seed)
    except (RefusedError, InputError) as refusal:
        return Outcome.skip(f"the inputs turned around are refused: {refusal}")
    difference = first_difference(run, run.got, tape.gradients(run.cotangents))
    if difference is not None:
        name, element, values = difference
        evidence = f"after another forward the gradient {values}"
        return Outcome([Finding("stale-state", name, element, evidence, run.case.label)])
    for place, (got, true) in enumerate(zip(other.got, other.true or (), strict=False)):
        here = run.gradients_to(other.cotangents)[place]
        if true is None or agree(got, true) or not agree(got, here) or agree(here, true):
            continue
        if run.true is None or not agree(run.got[place], run.true[place]):
            continue
        name = run.case.argument_names[place]
        evidence = "at other values of the same shape the slope of the first call comes back"
        return Outcome([Finding("stale-state", name, None, evidence, other.case.label)])
    return Outcome()


def _turned(case: Case) -> Case:
    """Every differentiable leaf with its entries in reverse order: other values, same domain."""

    def turn(x: Tensor) -> Tensor:
        return x.reshape(-1).flip(0).reshape(x.shape)

    changes = {i: turn(x) for i, x in enumerate(case.leaves) if is_differentiable(x)}
    return case.derived("reversed", changes)
