"""What each checker costs: seconds on the same affine op of growing size, and of a first call."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import torch
from rich.progress import track
from torch import Tensor
from torch.autograd import gradcheck

from experiments.benchmark.turns import Run, take_turns
from torchref import crosscheck
from torchref.checker.execution.case import build_case
from torchref.checker.execution.run import run_both
from torchref.checker.execution.subject import as_subject
from torchref.checker.oracles.differences import judge_by_differences
from torchref.ops import Affine

SIZES, LARGE_SIZES = (100, 400, 1_500, 6_000), (100_000, 1_000_000)
FEW_ROWS = 7  # slow gradcheck's time grows with the outputs too: with few it is at its cheapest
LEAST = 0.05  # seconds of each checker in each round
FIRST_CALL = """
import time, torch
from torchref import crosscheck
from torchref.ops import Sigmoid
x, start = torch.randn(3, 2), time.perf_counter()
crosscheck(Sigmoid, torch.sigmoid, (x,))
print(time.perf_counter() - start)
"""


def seconds_over_size(seed: int, rounds: int) -> list[dict[str, Any]]:
    """For each batch and size: the seconds of each checker, and slow gradcheck's over them."""
    shapes = [(rows, size) for rows in (None, FEW_ROWS) for size in SIZES]
    shapes += [(None, size) for size in LARGE_SIZES]
    return [timed(rows, size, seed, rounds) for rows, size in track(shapes, "time over N")]


def timed(rows: int | None, size: int, seed: int, rounds: int) -> dict[str, Any]:
    inputs = affine_inputs(rows, size, seed)
    runs: dict[str, Run] = {
        "crosscheck": partial(crosscheck, Affine, torch.nn.functional.linear, inputs),
        "differences alone": partial(differences_alone, inputs, seed),
    }
    if size in SIZES:
        runs["gradcheck, slow"] = partial(gradcheck, Affine.call, inputs)
        runs["gradcheck, fast"] = partial(gradcheck, Affine.call, inputs, fast_mode=True)
    against = "gradcheck, slow" if size in SIZES else "crosscheck"
    timings = take_turns(runs, against, rounds, LEAST, warm_up=1)
    batch = "square" if rows is None else f"{rows} rows"
    found: dict[str, Any] = {"batch": batch, "entries": sum(x.numel() for x in inputs)}
    return found | {timing.way: asdict(timing) for timing in timings}


def first_call(times: int) -> list[float]:
    """Seconds of the first cross-check of a small op in a new process, its torch imported."""
    command = [sys.executable, "-c", FIRST_CALL]
    runs = [
        subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(times)
    ]
    return [float(run.stdout) for run in runs]


def differences_alone(inputs: Sequence[Tensor], seed: int) -> Any:
    """The numeric oracle and nothing else."""
    subject = as_subject(Affine)
    return judge_by_differences(
        run_both(subject, None, build_case(subject, inputs, None, None), seed)
    )


def affine_inputs(rows: int | None, entries: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """x, weight and bias of about so many entries together; as many rows as features if None."""
    g = torch.Generator().manual_seed(seed)
    features = round((entries / 2) ** 0.5 if rows is None else entries**0.5 - rows / 2)
    features = max(1, features)
    shapes = ((rows or features, features), (features, features), (features,))
    x, weight, bias = (torch.randn(s, generator=g, dtype=torch.float64) for s in shapes)
    return x.requires_grad_(), weight.requires_grad_(), bias.requires_grad_()
