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
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from itertools import accumulate, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Any

import matplotlib.pyplot
import torch
import typer
from rich.console import Console
from rich.table import Table

import torchref.nn
from torchref.backprop import Backprop

matplotlib.use("Agg")
WAYS = ("sweep", "functions", "torch", "compiled")
STEPS_SECONDS = 0.03  # a round runs each way for about so long
Step = Callable[[], object]


@dataclass(frozen=True)
class Setting:
    """A network and what it is trained with."""

    sizes: tuple[int, ...]
    loss: str
    batch: int

    @property
    def name(self) -> str:
        sizes = "-".join(map(str, self.sizes))
        if len(self.sizes) > 4:
            sizes = f"{self.sizes[0]} wide, {len(self.sizes) - 1} deep"
        return f"{sizes}, {self.loss}, batch {self.batch}"


WIDTHS = (
    Setting((2, 2, 1), "BCELoss", 1),
    Setting((2, 2, 1), "BCELoss", 32),
    Setting((4, 3, 2), "MSELoss", 1),
    Setting((4, 3, 2), "MSELoss", 32),
    Setting((30, 16, 1), "BCELoss", 64),
    Setting((64, 64, 10), "MSELoss", 64),
    Setting((256, 256, 256), "MSELoss", 128),
    Setting((1024, 1024, 1024), "MSELoss", 256),
    Setting((1024, 1024, 1024), "BCELoss", 256),
)
DEPTHS = tuple(Setting((16,) * (depth + 1), "MSELoss", 32) for depth in (2, 4, 8, 16, 32, 64))


@dataclass(frozen=True)
class Timing:
    """Seconds of a step of one way: the median, and the ratio of torch's time to it."""

    way: str
    seconds: float
    ratio: float
    ratio_low: float  # the tenth percentile over the rounds
    ratio_high: float  # the ninetieth
    peak_bytes: int | None = None


def network_of(setting: Setting, nn: Any) -> torch.nn.Module:
    layers = [(nn.Linear(i, o), nn.Sigmoid()) for i, o in pairwise(setting.sizes)]
    return nn.Sequential(*(layer for pair in layers for layer in pair))


def step_of(way: str, setting: Setting) -> Step:
    """One forward and backward on fixed data, that leaves the gradients in `.grad`."""
    torch.manual_seed(0)
    nn = torchref.nn if way in ("sweep", "functions") else torch.nn
    network, loss = network_of(setting, nn), getattr(nn, setting.loss)()
    x = torch.rand(setting.batch, setting.sizes[0])
    target = torch.rand(setting.batch, setting.sizes[-1]).round()
    if way == "sweep":
        step = Backprop(network, loss)
        return lambda: step(x, target)
    parameters = list(network.parameters())

    def forward(x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return loss(network(x), target)

    computed = torch.compile(forward) if way == "compiled" else forward

    def under_autograd() -> None:
        for parameter in parameters:
            parameter.grad = None
        computed(x, target).backward()

    return under_autograd


def seconds_of(step: Step, repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        step()
    return (time.perf_counter() - start) / repeats


def timings_of(setting: Setting, ways: tuple[str, ...], rounds: int) -> list[Timing]:
    steps = {way: step_of(way, setting) for way in ways}
    for step in steps.values():
        seconds_of(step, 5)
    slowest = max(seconds_of(step, 5) for step in steps.values())
    repeats = max(1, int(STEPS_SECONDS / slowest))
    measured: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(rounds):
        order = list(steps.items())
        for way, step in order[number % len(order) :] + order[: number % len(order)]:
            measured[way].append(seconds_of(step, repeats))
    found = []
    for way, times in measured.items():
        ratios = [its / mine for its, mine in zip(measured["torch"], times, strict=True)]
        low, *_, high = statistics.quantiles(ratios, n=10)
        found.append(Timing(way, statistics.median(times), statistics.median(ratios), low, high))
    return found


def peak_bytes(way: str, setting: Setting) -> int:
    """The most that tensors hold at once in a step: parameters, data, gradients, all between."""
    seconds_of(step_of(way, replace(setting, sizes=(2, 2, 1), batch=1)), 3)  # what is loaded once
    with torch.profiler.profile(profile_memory=True) as profile:
        step = step_of(way, setting)
        step()  # what the first step alone needs is not counted
        with torch.profiler.record_function("steps"):
            seconds_of(step, 2)
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        profile.export_chrome_trace(file.name)
        events = json.loads(Path(file.name).read_text())["traceEvents"]
    begins = next(event["ts"] for event in events if event.get("name") == "steps")
    memory = sorted((e for e in events if e.get("name") == "[memory]"), key=itemgetter("ts"))
    held = list(accumulate(event["args"]["Bytes"] for event in memory))
    return max(most for most, event in zip(held, memory, strict=True) if event["ts"] >= begins)


def table_of(results: dict[Setting, list[Timing]]) -> Table:
    table = Table(title="one step, forward and backward", title_justify="left")
    for column in ("network", "way", "µs", "torch's time / its", "10 % … 90 %", "peak MiB"):
        table.add_column(column, justify="left" if column in ("network", "way") else "right")
    for setting, timings in results.items():
        for number, each in enumerate(timings):
            peak = "" if each.peak_bytes is None else f"{each.peak_bytes / 2**20:.2f}"
            spread = f"{each.ratio_low:.2f} … {each.ratio_high:.2f}"
            name = "" if number else setting.name
            table.add_row(
                name, each.way, f"{each.seconds * 1e6:.1f}", f"{each.ratio:.2f}", spread, peak
            )
        table.add_section()
    return table


def plot(results: dict[Setting, list[Timing]], file: Path) -> None:
    """Time over depth, and what a step costs against torch's on every network."""
    figure, (by_depth, by_network) = matplotlib.pyplot.subplots(1, 2, figsize=(13, 5))
    deep = {len(s.sizes) - 1: timings for s, timings in results.items() if s in DEPTHS}
    for number, way in enumerate(WAYS):
        points = {
            depth: each.seconds
            for depth, timings in deep.items()
            for each in timings
            if each.way == way
        }
        by_depth.loglog(list(points), [1e6 * s for s in points.values()], marker="o", label=way)
        ratios = [[t.ratio for t in timings if t.way == way] for timings in results.values()]
        places = [place + 0.2 * number for place, ratio in enumerate(ratios) if ratio]
        by_network.barh(places, [ratio[0] for ratio in ratios if ratio], 0.2, label=way)
    by_depth.set(xlabel="layers of 16 neurons", ylabel="µs a step", title="growth over depth")
    by_network.set(xlabel="torch's time / its (more is faster)")
    by_network.set_yticks(range(len(results)), [setting.name for setting in results], size=7)
    by_network.axvline(1, color="0.5", linewidth=0.8)
    by_depth.legend()
    figure.tight_layout()
    figure.savefig(file, dpi=120)


def main(
    threads: Annotated[int, typer.Option(min=1, help="Of torch.")] = 2,
    rounds: Annotated[int, typer.Option(min=2, help="Turns that each way gets.")] = 25,
    compiled: Annotated[bool, typer.Option(help="torch.compile too; it takes minutes.")] = True,
    only: Annotated[str, typer.Option(help="Only networks with this in their name.")] = "",
    memory: Annotated[bool, typer.Option(help="Measure peak memory too.")] = True,
    out: Annotated[Path, typer.Option(help="The folder for table, JSON and plot.")] = Path(
        "runs/benchmark_backprop"
    ),
) -> None:
    """Time one training step, four ways, on networks from 2-2-1 to 1024-1024-1024."""
    torch.set_num_threads(threads)
    ways = WAYS if compiled else WAYS[:-1]
    chosen = [setting for setting in (*WIDTHS, *DEPTHS) if only in setting.name]
    if not chosen:
        names = "; ".join(setting.name for setting in (*WIDTHS, *DEPTHS))
        raise typer.BadParameter(f"--only {only!r} is in no name. The names are: {names}.")
    results: dict[Setting, list[Timing]] = {}
    for setting in chosen:
        timings = timings_of(setting, ways, rounds)
        if memory and min(setting.sizes) >= 256:
            timings = [replace(each, peak_bytes=peak_bytes(each.way, setting)) for each in timings]
        results[setting] = timings
    console = Console()
    console.print(table_of(results))
    out.mkdir(parents=True, exist_ok=True)
    document = [
        {"network": asdict(setting), "timings": [asdict(each) for each in timings]}
        for setting, timings in results.items()
    ]
    about = {"torch": torch.__version__, "threads": threads, "rounds": rounds}
    (out / "times.json").write_text(json.dumps(about | {"results": document}, indent=2) + "\n")
    plot(results, out / "times.png")
    print(f"Written: {out / 'times.json'} and {out / 'times.png'}")


if __name__ == "__main__":
    typer.run(main)
