"""How findings depend on each other: what explains others is told first, and ends their checks."""

from collections.abc import Collection, Iterable, Sequence

from torchref.checker.report.findings import Finding

# Where memory is written, shared or left unwritten, and where the forward is another function,
# wrong numbers follow; a wrong number explains nothing.
SPOILS_NUMBERS = (
    "raises",
    "uninitialised-memory",
    "nondeterministic",
    "mutates-input",
    "mutates-grad-output",
    "mutates-saved",
    "accumulates",
    "aliased-buffer",
    "stale-state",
    "forward-noisy",
    "forward-wrong",
)
# Two calls are not the same computation then, and what compares them means nothing.
UNREPEATABLE = {
    "uninitialised-memory",
    "nondeterministic",
    "accumulates",
    "aliased-buffer",
    "stale-state",
    "forward-noisy",
}
EXPLAINS = (
    *SPOILS_NUMBERS,
    "layout-dependent",
    "swapped-arguments",  # of which one alone may require grad
    "depends-on-requires-grad",
    "missing-reduction",
    "wrong-shape",
    "wrong-dtype",
    "not-linear-in-grad-output",
)


def ends(findings: Iterable[Finding], causes: Collection[str]) -> Finding | None:
    """The first finding of the causes; what shows in a second backward alone spoils no first."""
    real = (each for each in findings if not (each.hazard and each.cause in UNREPEATABLE))
    return next((each for each in real if each.cause in causes), None)


def ranked(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The first finding of each cause and argument; explanations first, then as they were found.

    Vague ones are left out where what is told anyhow spoils the numbers.
    """
    spoilers = (*SPOILS_NUMBERS, "not-linear-in-grad-output")
    spoilt = {each.argument for each in findings if each.cause in spoilers and not each.vague}
    seen: dict[tuple[str, str | None], Finding] = {}
    for finding in findings:
        if not (finding.vague and spoilt & {finding.argument, None}):
            seen.setdefault((finding.cause, finding.argument), finding)
    return tuple(sorted(seen.values(), key=_place))


def _place(finding: Finding) -> int:
    return EXPLAINS.index(finding.cause) if finding.cause in EXPLAINS else len(EXPLAINS)
