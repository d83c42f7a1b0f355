"""How long a training step of the GPT takes by hand, beside torch's own ops under autograd.

    handwritten  experiments.gpt as it trains, forward and backward
    torch        the same model of torch's layers
    ... compiled the same under torch.compile

The ways take turns in one process, round by round; what is told is processor time, which other
work on the machine disturbs little, and ratios are taken within each round.

    python -m experiments.benchmark_gpt --rounds 15
"""

import json
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch.nn import Module

from experiments import gpt
from experiments.benchmark.folder import Out
from experiments.benchmark.turns import take_turns
from experiments.language.text import Text
from torchref.training import Examples, torch_twin
from torchref.training.model.task import Loss


def step_of(model: Module, loss: Loss, batch: Examples, compiled: bool) -> Callable[[], None]:
    def of_batch() -> torch.Tensor:
        return loss(model(batch.x), batch.target)

    run: Any = torch.compile(of_batch, dynamic=False) if compiled else of_batch
    parameters = list(model.parameters())

    def step() -> None:
        torch.autograd.grad(run(), parameters)

    return step


def main(
    rounds: Annotated[int, typer.Option(min=2, help="Turns that each way gets.")] = 15,
    threads: Annotated[int, typer.Option(min=1, help="Of torch.")] = 1,
    batch: Annotated[int, typer.Option(min=1, help="Windows in a step.")] = 64,
    compiled: Annotated[bool, typer.Option(help="torch.compile too; it takes minutes.")] = True,
    out: Out = Path("runs/benchmark_gpt"),
) -> None:
    """Time a training step of the default GPT, by hand and with torch, eager and compiled."""
    torch.set_num_threads(threads)
    task = gpt.task(Text.of_python(), 0, width=128, heads=4, blocks=4, length=64)
    assert isinstance(task.examples, Examples)
    examples = task.examples[torch.arange(batch) * 100]
    ways: dict[str, tuple[Module, Loss]] = {
        "handwritten": (task.network, task.loss),
        "torch": (torch_twin(task.network), task.torchs_loss()),
    }
    told = []
    for is_compiled in (False, True)[: 1 + compiled]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what torch's compiler does on the way
            steps = {name: step_of(*way, examples, is_compiled) for name, way in ways.items()}
            timings = take_turns(steps, "torch", rounds, 0.0, warm_up=1, clock=time.process_time)
        for each in timings:
            slower = f"{1 / each.ratio:.2f} of torch's ({1 / each.ratio_high:.2f} … "
            kind = f"{each.way}{' compiled' * is_compiled}"
            print(f"{kind:22} {1000 * each.seconds:5.0f} ms, {slower}{1 / each.ratio_low:.2f})")
        told += [asdict(each) | {"compiled": is_compiled} for each in timings]
    file = out / "times.json"
    file.write_text(json.dumps({"torch": torch.__version__, "times": told}, indent=2) + "\n")
    print(f"Written: {file}")


if __name__ == "__main__":
    typer.run(main)
