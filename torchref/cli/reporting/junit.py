"""Results as JUnit XML, which CI servers read: a test case for each candidate."""

import re
from xml.etree import ElementTree

from torchref.cli.reporting.results import Result, Results

# What XML 1.0 cannot hold, escaped or not.
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(results: Results) -> str:
    """One suite: a failure is what is not right, an error what could not be worked with.

    What there were no inputs for, and what Ctrl-C left out, is skipped.

    >>> from torchref.cli.reporting.results import Result, Results
    >>> print(junit(Results("a.py", "Function", "cpu", 0, [Result("A", why="no inputs")])))
    <?xml version="1.0" encoding="utf-8"?>
    <testsuites>
      <testsuite name="torchref: a.py" tests="1" failures="0" errors="0" skipped="1" time="0.000">
        <testcase classname="a.py" name="A" time="0.000">
          <skipped message="no inputs" />
        </testcase>
      </testsuite>
    </testsuites>
    <BLANKLINE>
    """
    suites = ElementTree.Element("testsuites")
    kinds = [_kind(result) for result in results.results]
    suite = ElementTree.SubElement(
        suites,
        "testsuite",
        name=_clean(f"torchref: {results.title}"),
        tests=str(len(kinds)),
        failures=str(kinds.count("failure")),
        errors=str(kinds.count("error")),
        skipped=str(kinds.count("skipped")),
        time=f"{sum(result.seconds for result in results.results):.3f}",
    )
    for result, kind in zip(results.results, kinds, strict=True):
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=_clean(results.title),
            name=_clean(result.name),
            time=f"{result.seconds:.3f}",
        )
        if kind is not None:
            message = _clean(result.why or result.summary)
            told = ElementTree.SubElement(case, kind, message=message)
            if kind != "skipped":
                told.set("type", result.verdict)
        if result.report is not None:
            told = ElementTree.SubElement(case, "system-out") if kind is None else told
            told.text = _clean(str(result.report))
    ElementTree.indent(suites)
    text = ElementTree.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _kind(result: Result) -> str | None:
    if result.report is None:
        return "error" if result.is_error else "skipped"
    return None if result.verdict == "right" else "failure"


def _clean(text: str) -> str:
    return FORBIDDEN.sub(lambda match: match[0].encode("unicode-escape").decode(), text)
