"""Time and memory of each handwritten op, forward and backward, beside torch's own under autograd.

    handwritten  the op of torchref under autograd
    torch        its twin, torch's own op or an expression of several
    ... compiled the same under torch.compile, which makes kernels of what it sees

The four take turns in one process, round by round; times are medians over the rounds and a ratio
is taken within each round. Memory is the most that tensors hold at once. The inputs are those of
the catalogue, repeated along each dimension until they are large; an op that does not take them
then is timed with what the catalogue has. What does not compile within a minute is left out.

    python -m experiments.benchmark_ops --rounds 15
    python -m experiments.benchmark_ops GELU Attention --device cuda
"""

import json
import warnings
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import torch
import typer

from experiments.benchmark.folder import Out
from experiments.benchmark.op_step import Step, inputs_of, peaks_of, step_of, ways_of
from experiments.benchmark.time_limit import TooLongError, time_limit
from experiments.benchmark.turns import Timing, take_turns
from torchref.catalogue import CATALOGUE
from torchref.checker.report.table import Output, Table
from torchref.training import resolve_device

FIRST_STEP = 60.0  # seconds
LEAST = 0.01  # seconds that each way runs in a round


def table_of(results: dict[str, list[Timing]], peaks: dict[str, dict[str, int]]) -> Table:
    table = Table(title="forward and backward of one op", title_justify="left")
    for column in ("op", "way", "µs", "torch's time / its", "10 % … 90 %", "peak KiB"):
        table.add_column(column, justify="left" if column in ("op", "way") else "right")
    for op, timings in results.items():
        for number, each in enumerate(timings):
            table.add_row(
                "" if number else op,
                each.way,
                f"{each.seconds * 1e6:.0f}",
                f"{each.ratio:.2f}",
                f"{each.ratio_low:.2f} … {each.ratio_high:.2f}",
                "" if each.way not in peaks[op] else f"{peaks[op][each.way] / 1024:.0f}",
            )
        table.add_section()
    return table


def begun(steps: dict[str, Step], op: str) -> dict[str, Step]:
    """Those that have taken their first step, in which they are compiled, within the time."""
    kept = {}
    for way, step in steps.items():
        try:
            with time_limit(FIRST_STEP):
                step()
        except TooLongError:  # a loop over blocks is compiled block by block
            print(f"{op}, {way}: not done after {FIRST_STEP} s, and left out", flush=True)
        else:
            kept[way] = step
    return kept


def main(
    ops: Annotated[list[str] | None, typer.Argument(help="Some; all if none.")] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, ... or auto.")] = "cpu",
    threads: Annotated[int, typer.Option(min=1, help="Of torch.")] = 2,
    rounds: Annotated[int, typer.Option(min=2, help="Turns that each way gets.")] = 15,
    numbers: Annotated[int, typer.Option(min=1, help="In the largest tensor, at most.")] = 2**17,
    compiled: Annotated[bool, typer.Option(help="torch.compile too; it takes minutes.")] = True,
    out: Out = Path("runs/benchmark_ops"),
) -> None:
    """Time each handwritten op and its twin, eager and compiled."""
    torch.set_num_threads(threads)
    unknown = sorted(set(ops or ()) - set(CATALOGUE))
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: the ops are {', '.join(CATALOGUE)}.")
    where = resolve_device(device)
    results: dict[str, list[Timing]] = {}
    peaks: dict[str, dict[str, int]] = {}
    for name in ops or CATALOGUE:
        entry = CATALOGUE[name]
        inputs = inputs_of(entry, numbers)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what torch's compiler does on the way
            ways = ways_of(entry, compiled).items()
            steps = begun({way: step_of(f, inputs, where) for way, f in ways}, name)
            results[name] = take_turns(steps, "torch", rounds, LEAST)
            eager = {"handwritten": entry.op.call, "torch": entry.twin}
            makers = {way: partial(step_of, f, inputs, where) for way, f in eager.items()}
            peaks[name] = peaks_of(makers, where)
        print(f"{name} done", flush=True)
    Output().print(table_of(results, peaks))
    about = {"torch": torch.__version__, "threads": threads, "rounds": rounds, "device": str(where)}
    document = {name: [asdict(each) for each in timings] for name, timings in results.items()}
    file = out / "times.json"
    file.write_text(json.dumps(about | {"times": document, "peak_bytes": peaks}, indent=2) + "\n")
    print(f"Written: {file}")


if __name__ == "__main__":
    typer.run(main)
