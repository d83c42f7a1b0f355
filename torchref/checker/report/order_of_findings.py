"""The order in which findings are told: what explains the others comes first."""

from collections.abc import Sequence

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
