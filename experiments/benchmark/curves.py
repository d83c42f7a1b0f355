"""The curves of the checkers: seconds over size, and the smallest error seen over size."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure


def plot(results: Mapping[str, Any], ways: Sequence[str], file: Path) -> None:
    """Two charts on logarithmic axes, a line for each of the ways; written as a PNG."""
    figure = Figure(figsize=(11, 4), layout="constrained")
    times, errors = figure.subplots(1, 2)
    for name in ways:
        rows = [row for row in results["seconds"] if name in row and row["batch"] == "square"]
        entries = [row["entries"] for row in rows]
        times.loglog(entries, [row[name]["seconds"] for row in rows], "o-", label=name)
        seen = [row for row in results["smallest error"] if row.get(name)]
        if seen:
            sizes = [row["N"] for row in seen]
            errors.loglog(sizes, [row[name] for row in seen], "o-", label=name)
    times.set(xlabel="entries of an affine op", ylabel="seconds")
    errors.set(xlabel="entries, of which one is wrong", ylabel="smallest relative error seen")
    times.legend()
    errors.legend()
    figure.savefig(file, dpi=120)
