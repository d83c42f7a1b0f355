"""What each checker costs: seconds on the same affine op of growing size."""

import statistics
import timeit
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from rich.progress import track
from torch import Tensor
from torch.autograd import gradcheck

from torchref import crosscheck
from torchref.checker.by_differences import judge_by_differences
from torchref.checker.case import build_case
from torchref.checker.scene import play
from torchref.checker.subject import as_subject
from torchref.ops import Affine

SIZES, LARGE_SIZES = (100, 400, 1_500, 6_000), (100_000, 1_000_000)


def seconds_over_size(seed: int, repeats: int) -> list[dict[str, Any]]:
    """Median, least and most seconds of each checker on an affine op of N entries."""
    rows = []
    for size in track((*SIZES, *LARGE_SIZES), "time over N"):
        inputs = affine_inputs(size, seed)
        entries = sum(x.numel() for x in inputs)
        runs: dict[str, Callable[[], Any]] = {
            "crosscheck": partial(crosscheck, Affine, torch.nn.functional.linear, inputs),
            "differences alone": partial(differences_alone, inputs, seed),
        }
        if size in SIZES:
            runs["gradcheck, slow"] = partial(gradcheck, Affine.call, inputs)
            runs["gradcheck, fast"] = partial(gradcheck, Affine.call, inputs, fast_mode=True)
        row: dict[str, Any] = {"entries": entries}
        for name, run in runs.items():
            taken = timeit.repeat(run, repeat=repeats, number=1)
            row[name] = {"median": statistics.median(taken), "min": min(taken), "max": max(taken)}
        rows.append(row)
    return rows


def differences_alone(inputs: Sequence[Tensor], seed: int) -> Any:
    """The numeric oracle and nothing else."""
    subject = as_subject(Affine)
    return judge_by_differences(play(subject, None, build_case(subject, inputs, None, None), seed))


def affine_inputs(entries: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """x, weight and bias of about so many entries together."""
    g = torch.Generator().manual_seed(seed)
    features = max(1, round((entries / 2) ** 0.5))
    shapes = ((features, features), (features, features), (features,))
    x, weight, bias = (torch.randn(s, generator=g, dtype=torch.float64) for s in shapes)
    return x.requires_grad_(), weight.requires_grad_(), bias.requires_grad_()
