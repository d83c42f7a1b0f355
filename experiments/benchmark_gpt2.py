"""A whole GPT-2 of 124 million parameters, cross-checked: how long it takes, and how much memory.

    twin        all gradients for one short window, against the same model of torch's own layers
    directions  against differences of its own forward along random directions, without torch's
                gradients

Each is one call of `torchref.crosscheck`, in a process of its own. The weights are random, and the
window is of random tokens: the mathematics is that of the trained model.

    python -m experiments.benchmark_gpt2
"""

import json
import multiprocessing
import resource
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import torch
import typer

from experiments.benchmark.folder import Out
from experiments.language.gpt2 import GPT2
from torchref import crosscheck
from torchref.training import torch_twin

WAYS = ("twin", "directions")


@dataclass(frozen=True)
class Checked:
    """One cross-check of the whole model; memory is the most that the process ever held."""

    way: str
    parameters: int
    verdict: str
    told: str
    seconds: float
    gibibytes: float


def check(way: str, blocks: int, width: int, length: int, threads: int) -> Checked:
    torch.manual_seed(0)
    torch.set_num_threads(threads)
    model = GPT2(width=width, heads=width // 64, blocks=blocks)
    tokens = torch.randint(model.embedding.num_embeddings, (1, length + 1))
    batch = tokens[:, :-1], tokens[:, 1:]
    start = time.perf_counter()
    reference = torch_twin(model) if way == "twin" else None
    report = crosscheck(model, reference, batch, thorough=False)
    seconds = time.perf_counter() - start
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return Checked(way, parameters, report.verdict, str(report), seconds, held)


def main(
    blocks: Annotated[int, typer.Option(min=1, help="Of attention and a wide layer.")] = 12,
    width: Annotated[int, typer.Option(min=64, help="A multiple of 64.")] = 768,
    length: Annotated[int, typer.Option(min=1, max=1024, help="Tokens in the window.")] = 16,
    threads: Annotated[int, typer.Option(min=1, help="Of torch.")] = 2,
    out: Out = Path("runs/benchmark_gpt2"),
) -> None:
    """Cross-check a whole model of the shape of GPT-2, against its twin and by differences."""
    if width % 64:
        raise typer.BadParameter(f"--width must be a multiple of 64, but {width} arrived.")
    results = []
    for way in WAYS:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            each = pool.apply(check, (way, blocks, width, length, threads))
        print(f"{way}: {each.parameters / 1e6:.1f} million parameters, {each.seconds:.0f} s, ")
        print(f"at most {each.gibibytes:.1f} GiB\n{each.told}\n", flush=True)
        results.append(each)
    file = out / "checked.json"
    file.write_text(json.dumps([asdict(each) for each in results], indent=2) + "\n")
    print(f"Written: {file}")
    raise typer.Exit(any(each.verdict != "right" for each in results))


if __name__ == "__main__":
    typer.run(main)
