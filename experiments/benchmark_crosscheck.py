"""Which gradient checker sees what, and what it costs: side by side, in one run.

torchref's crosscheck, torch's gradcheck (slow, fast) and gradgradcheck, and the usual comparison
of `out.sum().backward()` in float32 meet the same planted bugs, the same right functions, and the
same affine op of growing size. Run it from the repository's root, where the bugs are:

    python -m experiments.benchmark_crosscheck --quick

With --unseen also what was written without knowledge of the checker, tests/corpora/unseen.
"""

import json
import warnings
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console

from experiments.benchmark.checkers import PEERS
from experiments.benchmark.cost import first_call, seconds_over_size
from experiments.benchmark.curves import plot
from experiments.benchmark.folder import Out
from torchref.checker.report.table import Output, Table

try:
    from experiments.benchmark.corpora import DEVELOPED_ON, UNSEEN
    from experiments.benchmark.sight import bugs_noticed, false_alarms, smallest_error_seen
except ModuleNotFoundError:
    raise SystemExit("Run it from the root of a checkout: it needs tests/.") from None

TIMED = ("crosscheck", "differences alone", "gradcheck, slow", "gradcheck, fast")
SHARP = ("crosscheck", "gradcheck, slow", "gradcheck, fast")


def show_sight(bugs: dict[str, Any], alarms: dict[str, Any], what: str, console: Console) -> None:
    table = Table("checker", "bugs, tripping input", "ordinary input", "named", "false alarms")
    for name in ("crosscheck", *PEERS):
        named = bugs[name]["named"] if name == "crosscheck" else "–"
        counts = (bugs[name]["tripping"], bugs[name]["ordinary"], named, alarms[name])
        table.add_row(name, *map(str, counts))
    table.caption = f"of {bugs['of']['bugs']} {what} bugs and {alarms['of']} right functions"
    console.print(table)


def show(results: dict[str, Any], console: Console) -> None:
    show_sight(results["planted bugs"], results["false alarms"], "planted", console)
    if "unseen bugs" in results:
        show_sight(results["unseen bugs"], results["unseen right functions"], "unseen", console)
    table = Table("batch", "N", *TIMED, title="milliseconds, and slow gradcheck over them")
    for row in results["seconds"]:
        table.add_row(row["batch"], f"{row['entries']:,}", *(cost(row, way) for way in TIMED))
    first = ", ".join(f"{seconds:.2f}" for seconds in results["first call"])
    table.caption = f"the first cross-check of a small op in a process takes {first} s"
    console.print(table)
    table = Table("N", *SHARP, title="smallest relative error of one entry that is seen")
    for row in results["smallest error"]:
        seen = [row.get(name) for name in SHARP]
        table.add_row(f"{row['N']:,}", *(f"{e:.0e}" if isinstance(e, float) else "–" for e in seen))
    console.print(table)


def cost(row: dict[str, Any], way: str) -> str:
    """The median, and the ratio with its tenth and ninetieth percentile."""
    if way not in row:
        return "–"
    timing = row[way]
    milliseconds = short(1e3 * timing["seconds"])
    if "gradcheck, slow" not in row:
        return milliseconds
    low, high = short(timing["ratio_low"]), short(timing["ratio_high"])
    return f"{milliseconds}  {short(timing['ratio'])}x\n{low}–{high}"


def short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def main(
    out: Out = Path("runs/benchmark_crosscheck"),
    seed: Annotated[int, typer.Option(min=0, help="Of all inputs.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="Of torch; one is steadiest.")] = 1,
    quick: Annotated[bool, typer.Option("--quick", help="A tenth of the work.")] = False,
    unseen: Annotated[
        bool, typer.Option("--unseen", help="On tests/corpora/unseen as well.")
    ] = False,
) -> None:
    """Which gradient checker sees what, and what it costs."""
    torch.set_num_threads(threads)
    every, rounds, seeds = (10, 2, 2) if quick else (1, 5, 10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # gradcheck warns of float32 and of inputs without grad
        results = {
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
            "seed": seed,
            "planted bugs": bugs_noticed(DEVELOPED_ON, seed, every),
            "false alarms": false_alarms(DEVELOPED_ON, seed, every),
            "seconds": seconds_over_size(seed, rounds),
            "first call": first_call(rounds),
            "smallest error": smallest_error_seen(seed, seeds),
        }
        if unseen:
            results["unseen bugs"] = bugs_noticed(UNSEEN, seed, every)
            results["unseen right functions"] = false_alarms(UNSEEN, seed, every)
    show(results, Output())
    (out / "benchmark_crosscheck.json").write_text(json.dumps(results, indent=2) + "\n")
    plot(results, TIMED, out / "benchmark_crosscheck.png")
    print(f"JSON and plot are in {out}.")


if __name__ == "__main__":
    typer.run(main)
