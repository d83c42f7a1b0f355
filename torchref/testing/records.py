"""What the cross-checks of a test run found: told in lines, and written to a file."""

import json
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from torchref import __version__
from torchref.errors import InputError, not_writable

INTERRUPTED = "not checked: interrupted"  # of a Function
MOST_OFTEN = 20  # times as long as the file took to write, it is let be
# "test" is its name, "enforced" whether it fails unless the verdict is right, "report" the report
# as a dictionary: what pytest-xdist can send.
Record = dict[str, Any]


def line_of(record: Record) -> str:
    """The test, the verdict, and the first thing to say of it."""
    report = record["report"]
    against = f" against {report['reference']}" if report["reference"] else ""
    told = f"{report['verdict']}: {record['test']}: {report['candidate']}{against}"
    if report["findings"]:
        first = report["findings"][0]
        told += f": {first['cause']} in {first['argument'] or 'the call'}"
    else:
        notes = [each["note"] for each in report["checks"] if each["status"] == "cannot tell"]
        told += "".join(f": {note}" for note in notes[:1])
    return told if record["enforced"] else f"{told} (reported only)"


def totals(records: Sequence[Record]) -> dict[str, int]:
    """How many reports have each verdict, and how many of all tell a hazard."""
    verdicts = Counter(record["report"]["verdict"] for record in records)
    counted = {verdict: verdicts[verdict] for verdict in ("right", "wrong", "cannot tell")}
    return {**counted, "hazards": sum(bool(record["report"]["hazards"]) for record in records)}


def totals_told(records: Sequence[Record]) -> str:
    count = totals(records)
    told = f"cross-checks: {count['right']} right, {count['wrong']} wrong"
    return f"{told}, {count['cannot tell']} cannot tell; {count['hazards']} with hazards"


class ReportFile:
    """The file of `--torchref-report`. What is wrong with it is found out before the tests."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()  # a test may change the directory
        self._took = self._written_at = 0.0
        self.write([], None, True)

    def keep(self, records: Sequence[Record], audit: dict[str, Any] | None) -> None:
        """Write what a test that ends the process is to leave, unless that was done just before."""
        if time.monotonic() - self._written_at > MOST_OFTEN * self._took:
            with suppress(InputError):  # it is told at the end
                self.write(records, audit, True)

    def write(
        self, records: Sequence[Record], audit: dict[str, Any] | None, is_interrupted: bool
    ) -> None:
        """Write everything anew; `InputError` where the file cannot be written."""
        document = {
            "torchref": __version__,
            "interrupted": is_interrupted,
            "totals": totals(records),
            "tests": sorted(records, key=lambda record: record["test"]),  # workers take turns
            "audit": audit,
        }
        begun = time.monotonic()
        try:
            self.path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise not_writable("--torchref-report", self.path, error) from None
        self._written_at = time.monotonic()
        self._took = self._written_at - begun
