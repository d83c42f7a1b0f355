"""How long one training step takes, forward and backward, and how much memory: four ways.

    sweep      torchref.backprop.Backprop: no autograd, no tape
    functions  torchref's layers: handwritten Functions under autograd
    torch      torch's own layers under autograd
    compiled   torch's own layers under torch.compile

The four take turns in one process, round by round, so that whatever else the machine does hits
all of them; times are medians over the rounds, and a ratio is taken within each round. Memory is
the most that tensors hold at once during a step.

    python -m experiments.benchmark_backprop --threads 2 --rounds 25
"""

import json
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import torch
import typer
from matplotlib.figure import Figure

from experiments.benchmark.folder import Out
from experiments.benchmark.peak_memory import peak_bytes
from experiments.benchmark.training_step import DEPTHS, WAYS, WIDTHS, Setting, step_of
from experiments.benchmark.turns import Timing, seconds_of, take_turns
from torchref.checker.report.table import Output, Table

LARGE = 256  # neurons a layer, from where on memory is worth measuring
LEAST = 0.03  # seconds that each way runs in a round
Results = dict[Setting, list[Timing]]
Peaks = dict[Setting, dict[str, int]]


def peaks_of(setting: Setting, ways: tuple[str, ...]) -> dict[str, int]:
    """Peak bytes by way, after a step of a tiny network has loaded what is loaded once."""
    tiny = replace(setting, sizes=(2, 2, 1), batch=1)
    for way in ways:
        seconds_of(step_of(way, tiny), 3)
    return {way: peak_bytes(partial(step_of, way, setting)) for way in ways}


def table_of(results: Results, peaks: Peaks) -> Table:
    table = Table(title="one step, forward and backward", title_justify="left")
    for column in ("network", "way", "µs", "torch's time / its", "10 % … 90 %", "peak MiB"):
        table.add_column(column, justify="left" if column in ("network", "way") else "right")
    for setting, timings in results.items():
        for number, each in enumerate(timings):
            peak = peaks[setting].get(each.way)
            table.add_row(
                "" if number else setting.name,
                each.way,
                f"{each.seconds * 1e6:.1f}",
                f"{each.ratio:.2f}",
                f"{each.ratio_low:.2f} … {each.ratio_high:.2f}",
                "" if peak is None else f"{peak / 2**20:.2f}",
            )
        table.add_section()
    return table


def plot(results: Results, file: Path) -> None:
    """Time over depth, and what a step costs against torch's on every network."""
    figure = Figure(figsize=(13, 5), layout="constrained")
    by_depth, by_network = figure.subplots(1, 2)
    deep = {len(s.sizes) - 1: timings for s, timings in results.items() if s in DEPTHS}
    ways = dict.fromkeys(each.way for timings in results.values() for each in timings)
    for number, way in enumerate(ways):
        points = {depth: t.seconds for depth, ts in deep.items() for t in ts if t.way == way}
        by_depth.loglog(list(points), [1e6 * s for s in points.values()], marker="o", label=way)
        ratios = [[t.ratio for t in timings if t.way == way] for timings in results.values()]
        places = [place + 0.2 * number for place, ratio in enumerate(ratios) if ratio]
        by_network.barh(places, [ratio[0] for ratio in ratios if ratio], 0.2, label=way)
    by_depth.set(xlabel="layers of 16 neurons", ylabel="µs a step", title="growth over depth")
    by_depth.set_xticks([*deep], [*deep])
    by_depth.minorticks_off()
    by_network.set(xlabel="torch's time / its (more is faster)")
    by_network.set_yticks(range(len(results)), [setting.name for setting in results], size=7)
    by_network.axvline(1, color="0.5", linewidth=0.8)
    by_depth.legend()
    figure.savefig(file, dpi=120)


def main(
    threads: Annotated[int, typer.Option(min=1, help="Of torch.")] = 2,
    rounds: Annotated[int, typer.Option(min=2, help="Turns that each way gets.")] = 25,
    compiled: Annotated[bool, typer.Option(help="torch.compile too; it takes minutes.")] = True,
    only: Annotated[str, typer.Option(help="Only networks with this in their name.")] = "",
    memory: Annotated[bool, typer.Option(help="Measure peak memory too.")] = True,
    out: Out = Path("runs/benchmark_backprop"),
) -> None:
    """Time one training step, four ways, on networks from 2-2-1 to 1024-1024-1024."""
    torch.set_num_threads(threads)
    ways = WAYS if compiled else WAYS[:-1]
    chosen = [setting for setting in (*WIDTHS, *DEPTHS) if only in setting.name]
    if not chosen:
        names = "; ".join(setting.name for setting in (*WIDTHS, *DEPTHS))
        raise typer.BadParameter(f"--only {only!r} is in no name. The names are: {names}.")
    results: Results = {}
    peaks: Peaks = {}
    for setting in chosen:
        steps = {way: step_of(way, setting) for way in ways}
        results[setting] = take_turns(steps, "torch", rounds, LEAST)
        measured = memory and min(setting.sizes) >= LARGE
        peaks[setting] = peaks_of(setting, ways) if measured else {}
    Output().print(table_of(results, peaks))
    document = [
        {
            "network": asdict(setting),
            "timings": [asdict(t) | {"peak_bytes": peaks[setting].get(t.way)} for t in timings],
        }
        for setting, timings in results.items()
    ]
    about = {"torch": torch.__version__, "threads": threads, "rounds": rounds}
    (out / "times.json").write_text(json.dumps(about | {"results": document}, indent=2) + "\n")
    plot(results, out / "times.png")
    print(f"Written: {out / 'times.json'} and {out / 'times.png'}")


if __name__ == "__main__":
    typer.run(main)
