"""What the differences of a comparison come from, in one gradient and across them."""

from collections.abc import Iterable, Iterator, Sequence

import torch

from torchref.checker.causes.mismatch import Hypothesis, Mismatch
from torchref.checker.causes.search import described, recognised
from torchref.checker.causes.shape import shape_suspicions
from torchref.checker.comparison.context import Background
from torchref.checker.comparison.pairs import Measured
from torchref.checker.diagnosis.network.gradients import Page, patterns
from torchref.checker.diagnosis.network.rules import ACROSS
from torchref.checker.execution.arithmetic import SAME
from torchref.checker.report.findings import Finding


def causes(measured: Sequence[Measured], background: Background) -> dict[Finding, tuple[str, ...]]:
    """The findings and the names that each concerns: those of several names first."""
    different = {each.name: each for each in measured if each.verdict == "different"}
    page = _page(measured, different, background)
    found = patterns(page, ACROSS)
    explained = {name for pattern in found for name in pattern.names}
    together = [(pattern.names, pattern.hypotheses) for pattern in found]
    alone = [
        ((name,), _of_one(each, page)) for name, each in different.items() if name not in explained
    ]
    findings = {_finding(said, names, None): names for said, names in _merged(together)}
    for hypothesis, names in _merged(alone):
        findings[_finding(hypothesis, names, different[names[0]])] = names
    return findings


def _page(
    measured: Sequence[Measured], different: dict[str, Measured], background: Background
) -> Page:
    alike = [each for each in measured if each.distance is not None]
    trues = {each.name: each.true for each in alike}
    claims = {each.name: each.got for each in alike}
    wrong = {
        each.name: Mismatch(
            each.name,
            *_judged(each),
            each.distance.wrong,
            background.values,
            {name: true for name, true in trues.items() if name != each.name},
            claims,
            background.known,
            background.indices,
            rounding=max(SAME, each.rounding),
        )
        for each in different.values()
        if each.distance is not None
    }
    return Page(
        trues,
        wrong,
        {name: _alone(different[name], wrong[name]) for name in wrong},
        {name: (each.got, each.true) for name, each in different.items()},
        max([SAME, *(each.rounding for each in different.values())]),
        background.known,
        background.sizes,
        background.parameters,
    )


def _judged(each: Measured) -> tuple[torch.Tensor, torch.Tensor]:
    """Both gradients, with 0 where they are NaN or infinite alike."""
    unfit = ~torch.isfinite(each.got) & ~torch.isfinite(each.true)
    if not bool(unfit.any()):
        return each.got, each.true
    return each.got.masked_fill(unfit, 0), each.true.masked_fill(unfit, 0)


def _alone(each: Measured, wrong: Mismatch) -> list[Hypothesis]:
    """What the numbers of one gradient say of themselves; nothing, if they bear no mark."""
    unfit = ~torch.isfinite(wrong.true)
    if each.absent == "manual":
        largest = f"{float(each.true.abs().max()):.6g}"
        return [
            Hypothesis("missing-gradient", f"None was given; its largest entry should be {largest}")
        ]
    if each.absent == "reference" or not bool(wrong.true.any()):
        what = "has None here" if each.absent else "is 0 everywhere"
        fix = "does its loss depend on this, and was its gradient zeroed since?"
        return [Hypothesis("missing-gradient", f"it is the reference that {what}: {fix}")]
    if bool(unfit.any()):
        count = f"{int(unfit.sum())} of {unfit.numel()} entries"
        evidence = f"it is the reference that is NaN or infinite in {count}; it proves nothing"
        return [Hypothesis("not-finite", evidence)]
    if each.lost_imaginary:
        return [Hypothesis("wrong-dtype", "real in place of complex: the imaginary part is lost")]
    marks = recognised(wrong)
    if wrong.got.numel() == 1:  # one entry is a multiple of any other, and often a short number
        return [mark for mark in marks if mark.cause not in ("constant-factor", "precision-loss")]
    return marks


def _of_one(each: Measured, page: Page) -> Sequence[Hypothesis]:
    if each.distance is None:
        return shape_suspicions(each.got, each.true, max(SAME, each.rounding))
    if page.recognised[each.name]:
        return page.recognised[each.name]
    if each.got.numel() == 1:
        return [Hypothesis("missing-term", "a single entry, and no known factor explains it")]
    return [described(page.wrong[each.name])]


def _merged(
    told: Iterable[tuple[tuple[str, ...], Sequence[Hypothesis]]],
) -> Iterator[tuple[Hypothesis, tuple[str, ...]]]:
    """The same thing said of several names is said once."""
    names_of: dict[Hypothesis, tuple[str, ...]] = {}
    for names, fitting in told:
        for hypothesis in fitting:
            names_of[hypothesis] = (*names_of.get(hypothesis, ()), *names)
    yield from names_of.items()


def _finding(hypothesis: Hypothesis, names: tuple[str, ...], of: Measured | None) -> Finding:
    """Of one name the worst element is told, too."""
    apart = of.distance if of is not None and len(names) == 1 else None
    element = None if apart is None else apart.element
    told = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    return Finding(hypothesis.cause, told, element, hypothesis.evidence, "against the reference")
