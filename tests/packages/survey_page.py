"""The page of the field survey, made of the lines that its runs wrote."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.packages.judgements import SENSES, judgement_of

Line = dict[str, Any]
REPRODUCTIONS = Path(__file__).parent / "reproductions"
ORDER = ("wrong", "on purpose", "right", "right in its call", "cannot tell", "not asked")
MEANING = {
    "right": "the audit finds every gradient right, alone or with what the user states of the call",
    "wrong": "a bug of the package: the call that a user makes has a wrong gradient, or raises",
    "on purpose": "a surrogate, a straight-through estimator, or a kernel that works in place",
    "right in its call": "the audit accuses or doubts the Function alone, and the gradient of the "
    "call it is made for is right: judged by hand, one by one, below",
    "cannot tell": "neither the audit nor a reference decides",
    "not asked": "the call does not run its backward",
}
HEAD = """\
# Field survey

What `torchref.audit` says of handwritten Functions of public packages: each is applied as the
package's user applies it, forward and backward, within the audit, which then cross-checks it at the
arguments it had. The calls are those of `tests/packages/` and `tests/kernels/`; the Triton kernels
run in Triton's interpreter on a CPU. All of this page is made by

```
python -m tests.packages.survey run packages.jsonl
python -m tests.packages.survey run kernels.jsonl liger fla torchnorm saga
python -m tests.packages.survey write packages.jsonl kernels.jsonl > docs/field_survey.md
```

the first where `requirements-packages.txt` and peft are installed, the second with
`pip install '.[kernels]'`. A call is audited once without a word on it, and again, where that is
not right, with what its user would state: a tolerance, the reference of a kernel, or that it is no
gradient of its forward, on purpose. A package has a process of its own; a call that ends it, or is
not done in time, is told at the end of this page.
"""


def page(lines: Sequence[Line]) -> str:
    """The page in Markdown."""
    seen = [line for line in lines if "case" in line]
    functions: dict[tuple[str, str, int], list[Line]] = defaultdict(list)
    for line in seen:
        functions[_key(line)].append(line)
    told = [Told(cases) for _, cases in sorted(functions.items())]
    return "\n".join(
        [
            HEAD,
            *_summary(told, seen, sum(line.get("seconds", 0.0) for line in lines)),
            *_wrong(told),
            *_compared(seen),
            *_accused(told),
            *_table(told),
            *_unchecked(told, lines),
            "",
        ]
    )


class Told:
    """A Function, of all the cases that apply it."""

    def __init__(self, cases: Sequence[Line]) -> None:
        self.cases = cases
        first = cases[0]
        self.package, self.version, self.name = first["package"], first["version"], first["name"]
        self.place = f"{first['file']}:{first['line']}"
        verdicts = {_verdict(case) for case in cases}
        self.verdict = next(verdict for verdict in ORDER if verdict in verdicts)
        self.case = next(case for case in cases if _verdict(case) == self.verdict)
        self.calls = sum(case["calls"] for case in cases)
        self.hazards = list(dict.fromkeys(h for case in cases for h in case["hazards"]))
        self.shapes = list(
            dict.fromkeys(_shapes(call) for case in cases for call in case["shapes"])
        )

    @property
    def accused(self) -> Line | None:
        """The first call that is right where the audit does not find it so."""
        return next((case for case in self.cases if _verdict(case) == "right in its call"), None)

    @property
    def cause(self) -> str:
        return self.case["cause"] or self.case["bare_cause"] or ""


def _key(line: Line) -> tuple[str, str, int]:
    return line["package"], line["file"], line["line"]


def _verdict(case: Line) -> str:
    """The audit's, where the call as a whole does not say otherwise."""
    said, truth = case["verdict"], case["truth"]
    if said == "not checked":
        return "not asked"
    if truth == "wrong":
        return "wrong"  # confirmed by its reproduction
    if said == "right":
        return "right"
    if truth == "not its gradient":
        return "on purpose"
    return "right in its call"


def _summary(told: Sequence[Told], lines: Sequence[Line], seconds: float) -> Iterable[str]:
    of_package: dict[str, list[Told]] = defaultdict(list)
    for each in told:
        of_package[f"{each.package} {each.version}"].append(each)
    sums = Counter(each.verdict for each in told)
    torch = " and ".join(sorted({line["torch"] for line in lines}))
    yield f"{len(told)} Functions of {len(of_package)} packages, with torch {torch}, in"
    yield f"{seconds / 60:.0f} minutes of one core:\n"
    yield "| verdict | Functions | what it says |\n| --- | ---: | --- |"
    yield from (f"| {v} | {sums[v]} | {MEANING[v]} |" for v in ORDER)
    yield f"\n| package | Functions | {' | '.join(ORDER)} |"
    yield f"| --- | {' | '.join(['---:'] * (1 + len(ORDER)))} |"
    for package, its in sorted(of_package.items(), key=lambda item: item[0].lower()):
        counts = Counter(each.verdict for each in its)
        cells = " | ".join(str(counts[v] or "") for v in ORDER)
        yield f"| {package} | {len(its)} | {cells} |"


def _wrong(told: Sequence[Told]) -> Iterable[str]:
    yield "\n## What is wrong\n"
    yield "Each is shown by a few lines that need torch and the package alone: they print what the"
    yield "backward returns beside a difference quotient of the forward in float64, or raise where"
    yield "they say so. `tests/packages/test_reproductions.py` runs them."
    for each in told:
        for case in each.cases:
            if _verdict(case) == "wrong":
                yield f"\n### {case['case']}\n"
                yield f"{each.package} {each.version}, `{each.name}`, `{each.place}`:"
                yield f"{case['stated']}.\n"
                if case["error"]:
                    yield f"The call itself ends with {_one_line(case['error'])}\n"
                yield f"The audit: {case['verdict']}{_by(case)}\n"
                if case["cause"] and each.accused and each.accused["cause"] == case["cause"]:
                    yield "It says so where the call is right, too: it does not tell this apart.\n"
                yield f"```python\n{(REPRODUCTIONS / (case['case'] + '.py')).read_text()}```"


def _by(case: Line) -> str:
    if not case["cause"]:
        return f"; {_one_line(case['note'])}"
    return f", `{case['cause']}`: {_one_line(case['evidence'])}"


def _compared(lines: Sequence[Line]) -> Iterable[str]:
    said = ("right", "wrong", "cannot tell", "not checked")
    counts = Counter((line["truth"], line["bare"]) for line in lines)
    hinted = sum(
        line["truth"] == "not its gradient" and "does not match its forward" in line["bare_hint"]
        for line in lines
    )
    yield "\n## The audit alone beside the truth\n"
    yield "What the audit says of each Function in each call with no reference and no word of the"
    yield "user, beside what the call is known to be. A Function that is not right by itself may be"
    yield "right in its call: those that are called wrong there are the next section's.\n"
    yield f"| the call | {' | '.join(f'called {s}' for s in said)} |"
    yield f"| --- | {' | '.join(['---:'] * len(said))} |"
    for truth in ("right", "not its gradient", "wrong"):
        row = " | ".join(str(counts[truth, s]) for s in said)
        yield f"| {truth.replace('not its gradient', 'no gradient, on purpose')} | {row} |"
    yield f"\nOf those on purpose, {hinted} are told apart by a hint in the audit's own note."


def _accused(told: Sequence[Told]) -> Iterable[str]:
    yield "\n## Accused or doubted alone, right in the call\n"
    yield "The audit sees the Function and not the call around it, and it varies the numbers that"
    yield "it was given, beyond what the call can mean. Each of these was read in its package, and"
    yield "its gradient derived or differentiated anew; `tests/packages/judgements.py` says how. It"
    yield "is right in one of these senses:\n"
    yield from (f"- {sense}: {meaning}" for sense, meaning in SENSES.items())
    yield "\nThe error of the call is the largest that its gradient has in this run, beside"
    yield "differences of the whole call, in float64 where the package computes in it. One of each"
    yield "Function is told.\n"
    yield "| Function | call | the audit | evidence | error of the call | judged by hand |"
    yield "| --- | --- | --- | --- | ---: | --- |"
    for each in told:
        if (case := each.accused) is not None:
            said = f"{case['verdict']}{', `' + case['cause'] + '`' if case['cause'] else ''}"
            undecided = case["undecided"][0] if case["undecided"] else case["note"]
            evidence = case["evidence"] if case["verdict"] == "wrong" else undecided
            off = "" if case["off"] is None else f"{case['off']:.0e}"
            judged = str(judgement_of(each.package, each.name) or "not judged")
            judged += "; wrong in another call, above" * (each.verdict == "wrong")
            yield (
                f"| {each.package} `{each.name}` | {case['case'].split('.', 1)[1]} "
                f"| {said} | {_cell(evidence)} | {off} | {_cell(judged)} |"
            )


def _table(told: Sequence[Told]) -> Iterable[str]:
    yield "\n## All Functions\n"
    yield "| package | Function | at | calls | shapes | verdict | cause | hazards |"
    yield "| --- | --- | --- | ---: | --- | --- | --- | --- |"
    for each in told:
        shapes = "; ".join(each.shapes[:2]) + (" …" if len(each.shapes) > 2 else "")
        cause = each.cause if each.verdict in ("wrong", "on purpose") else ""
        yield (
            f"| {each.package} | `{each.name}` | `{each.place}` | {each.calls} | {shapes} "
            f"| {each.verdict} | {cause} | {', '.join(each.hazards)} |"
        )


def _unchecked(told: Sequence[Told], lines: Sequence[Line]) -> Iterable[str]:
    done = {line["case"].split(".")[0] for line in lines if "case" in line}
    missing = {line["missing"]: line["why"] for line in lines if "missing" in line}
    left_out = [(line["stopped"], line["why"]) for line in lines if "stopped" in line]
    left_out += [(name, why) for name, why in missing.items() if name not in done]
    yield "\n## What could not be checked\n"
    yield from (f"- {name}: {_one_line(why)}; it was left out" for name, why in left_out)
    yield ""
    yield "| Function | call | why |\n| --- | --- | --- |"
    for each in told:
        for case in each.cases:
            if "not checked: " in case["note"] or each.verdict == "not asked":
                yield f"| {each.package} `{each.name}` | {case['case']} | {_cell(case['note'])} |"
                break


def _shapes(call: Sequence[Sequence[int]]) -> str:
    told = ["×".join(map(str, shape)) or "scalar" for shape in call]
    return ", ".join(told[:4]) + (" …" if len(told) > 4 else "")


def _one_line(text: str) -> str:
    first = text.strip().partition("\n")[0]
    return first if len(first) <= 300 else f"{first[:299]}…"


def _cell(text: str) -> str:
    return _one_line(text).replace("|", "\\|")
