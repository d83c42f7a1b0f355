"""How much `torchref.audit()` slows a training down, of the digits and of the smallest tensors.

    digits  a batch of 32 images through 64-128-10, every layer and the loss a handwritten Function
    tiny    eight numbers through ten sigmoids: next to nothing but the cost of a call itself

The same 300 steps are trained with the audit and without it, in turns within one process; the ratio
of their CPU times is taken within each round, and both have to end at the same parameters.

    python -m experiments.benchmark_audit --rounds 15
"""

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from pathlib import Path
from time import process_time
from typing import Annotated

import torch
import typer
from torch import Tensor

import torchref
from experiments import digits
from experiments.benchmark.folder import Out
from experiments.benchmark.turns import Timing, seconds_of, timing_of, turns
from torchref import nn
from torchref.checker.report.table import Output, Table

BATCH, HIDDEN, TINY_LAYERS, TINY = 32, 128, 10, 8
Training = Callable[[int], Tensor]


def train_digits(steps: int) -> Tensor:
    """All parameters after some steps."""
    reading = digits.task(0, HIDDEN)
    examples, _ = digits.images(0)
    x, target = examples.x.float(), examples.target.float()
    network = reading.network.float()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for step in range(steps):
        batch = torch.arange(step * BATCH, (step + 1) * BATCH) % len(x)
        optimizer.zero_grad()
        reading.loss(network(x[batch]), target[batch]).backward()
        optimizer.step()
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def train_tiny(steps: int) -> Tensor:
    """The numbers after some steps."""
    torch.manual_seed(0)
    x = torch.randn(TINY, requires_grad=True)
    network = nn.Sequential(*(nn.Sigmoid() for _ in range(TINY_LAYERS)))
    optimizer = torch.optim.SGD([x], lr=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        network(x).sum().backward()
        optimizer.step()
    return x.detach()


TRAININGS: dict[str, Training] = {"digits": train_digits, "tiny": train_tiny}


def measured(training: Training, steps: int, rounds: int) -> Timing:
    """The seconds without the audit, and the ratio of those with it to them."""
    results: dict[str, Tensor] = {}

    def run(way: str) -> None:
        with torchref.audit() if way == "audited" else nullcontext():
            results[way] = training(steps)

    ways = ("bare", "audited")
    for way in ways:
        run(way)
    assert torch.equal(*results.values()), "the audit has changed the training"
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for way in turns(ways, rounds):
        seconds[way].append(seconds_of(partial(run, way), 1, process_time))
    return timing_of("bare", seconds["bare"], seconds["audited"])


def main(
    rounds: Annotated[int, typer.Option(min=2, help="Turns that each way gets.")] = 15,
    steps: Annotated[int, typer.Option(min=1, help="Of each training.")] = 300,
    out: Out = Path("runs/benchmark_audit"),
) -> None:
    """How much `torchref.audit()` slows a training down."""
    torch.set_num_threads(1)
    found = {name: measured(training, steps, rounds) for name, training in TRAININGS.items()}
    table = Table("training", "ms a step", "audited / bare", "10 % … 90 %")
    for name, each in found.items():
        spread = f"{each.ratio_low:.2f} … {each.ratio_high:.2f}"
        table.add_row(name, f"{1e3 * each.seconds / steps:.3f}", f"{each.ratio:.2f}", spread)
    Output().print(table)
    file = out / "benchmark_audit.json"
    document = {"torch": torch.__version__, "rounds": rounds, "steps": steps}
    document |= {name: asdict(each) for name, each in found.items()}
    file.write_text(json.dumps(document, indent=2) + "\n")
    print(f"Written: {file}")


if __name__ == "__main__":
    typer.run(main)
