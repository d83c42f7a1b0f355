"""What each checker sees: bugs, right functions, and how small an error."""

from functools import partial
from typing import Any

import torch
from rich.progress import track
from torch import Generator, Tensor

from experiments.benchmark.checkers import PEERS, by_crosscheck
from experiments.benchmark.corpora import Corpus
from torchref import crosscheck

SIZES, LARGE_SIZES = (100, 400, 1_500), (10_000, 1_000_000)
ERRORS = tuple(10.0**-k for k in range(13))


def bugs_noticed(corpus: Corpus, seed: int, every: int) -> dict[str, dict[str, int]]:
    """How many of the bugs each checker notices; crosscheck also names the cause."""
    bugs = corpus.bugs[::every]
    found = {name: {"tripping": 0, "ordinary": 0, "named": 0} for name in ("crosscheck", *PEERS)}
    for bug in track(bugs, "bugs"):
        for kind in ("tripping", "ordinary"):
            draw = getattr(bug, kind)
            caught, cause = by_crosscheck(bug.wrong, bug.reference, draw(generator(seed)))
            found["crosscheck"][kind] += caught
            found["crosscheck"]["named"] += kind == "tripping" and caught and cause in bug.causes
            for name, noticed in PEERS.items():
                found[name][kind] += noticed(bug.wrong, bug.reference, draw(generator(seed)))
    return {"of": {"bugs": len(bugs)}, **found}


def false_alarms(corpus: Corpus, seed: int, every: int) -> dict[str, int]:
    """How many right functions each checker accuses."""
    functions = corpus.right[::every]
    alarms = dict.fromkeys(("crosscheck", *PEERS), 0)
    for right in track(functions, "right functions"):
        function, reference, kwargs = right.function, right.reference, dict(right.kwargs)
        inputs = right.inputs(generator(seed))
        report = crosscheck(function, reference, inputs, kwargs=kwargs, seed=seed, order=2)
        alarms["crosscheck"] += report.verdict == "wrong"
        if kwargs:
            function, reference = partial(function, **kwargs), partial(reference, **kwargs)
        for name, noticed in PEERS.items():
            alarms[name] += noticed(function, reference, right.inputs(generator(seed)))
    return {"of": len(functions), **alarms}


def smallest_error_seen(seed: int, seeds: int) -> list[dict[str, Any]]:
    """The smallest relative error of one entry that is noticed for every seed."""
    rows = []
    for size in track((*SIZES, *LARGE_SIZES), "smallest error"):
        row: dict[str, Any] = {"N": size}
        for name in ("crosscheck", "gradcheck, slow", "gradcheck, fast"):
            if name != "crosscheck" and size not in SIZES:
                continue
            row[name] = None
            for error in ERRORS:
                if not all(sees(name, size, error, seed + k) for k in range(seeds)):
                    break
                row[name] = error
        rows.append(row)
    return rows


def sees(checker: str, size: int, error: float, seed: int) -> bool:
    """Whether one wrong entry in the gradient of a sine is noticed."""
    place = int(torch.randint(size, (), generator=generator(seed)))

    class OneWrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.save_for_backward(x)
            return x.sin()

        @staticmethod
        def backward(ctx: Any, grad_y: Tensor) -> Tensor:
            (x,) = ctx.saved_tensors
            grad_x = grad_y * x.cos()
            grad_x[place] += error * grad_x.square().mean().sqrt()
            return grad_x

    x = torch.randn(size, generator=generator(seed), dtype=torch.float64, requires_grad=True)
    if checker == "crosscheck":
        return crosscheck(OneWrong, inputs=(x,), seed=seed).verdict == "wrong"
    return PEERS[checker](OneWrong, None, (x,))


def generator(seed: int) -> Generator:
    return torch.Generator().manual_seed(seed)
