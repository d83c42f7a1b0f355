"""Which gradient checker sees what, and what it costs: side by side, in one run.

torchref's crosscheck, torch's gradcheck (slow, fast) and gradgradcheck, and the usual comparison
of `out.sum().backward()` in float32 meet the same planted bugs, the same right functions, and the
same affine op of growing size. Run it from the repository's root, where the bugs are:

    python -m experiments.benchmark_crosscheck --quick
"""

import json
import statistics
import timeit
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from matplotlib.figure import Figure
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Generator, Tensor
from torch.autograd import gradcheck, gradgradcheck

from torchref import crosscheck
from torchref.checker.by_differences import judge_by_differences
from torchref.checker.case import build_case
from torchref.checker.scene import play
from torchref.checker.subject import as_subject
from torchref.ops import Affine

try:
    from tests.right_functions import RIGHT
    from tests.wrong_ops import PLANTED
except ModuleNotFoundError:
    raise SystemExit("Run it from the root of a checkout: it needs tests/.") from None

Inputs = tuple[Any, ...]
SIZES, LARGE_SIZES = (100, 400, 1_500, 6_000), (100_000, 1_000_000)
ERRORS = tuple(10.0**-k for k in range(13))


def differentiable(inputs: Inputs) -> list[int]:
    """The places of the inputs whose gradient is wanted."""
    marked = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
    floating = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.is_floating_point()]
    return marked or floating


def by_crosscheck(candidate: Any, reference: Any, inputs: Inputs) -> tuple[bool, str | None]:
    """Whether it is found wrong, and the cause named first."""
    names = as_subject(candidate).names
    marked = any(isinstance(x, Tensor) and x.requires_grad for x in inputs)
    wrt = [names[i] for i in differentiable(inputs)] if marked and names else None
    report = crosscheck(candidate, reference, inputs, wrt=wrt)
    return report.verdict == "wrong", report.findings[0].cause if report.findings else None


def by_gradcheck(check: Callable[..., bool], **options: Any) -> Callable[..., bool]:
    def noticed(candidate: Any, _: Any, inputs: Inputs) -> bool:
        places = differentiable(inputs)
        mine = [
            x.detach().clone().requires_grad_(i in places) if isinstance(x, Tensor) else x
            for i, x in enumerate(inputs)
        ]
        try:
            check(getattr(candidate, "apply", candidate), mine, **options)
        except Exception:  # it tells what is wrong by raising, and a candidate may raise too
            return True
        return False

    return noticed


def by_sum_backward(candidate: Any, reference: Any, inputs: Inputs) -> bool:
    """The comparison in most tests: float32, a cotangent of ones, allclose."""
    gradients = []
    for function in (getattr(candidate, "apply", candidate), reference):
        places = differentiable(inputs)
        mine = [
            x.detach().float().requires_grad_(i in places)
            if isinstance(x, Tensor) and x.is_floating_point()
            else x
            for i, x in enumerate(inputs)
        ]
        try:
            outputs = function(*mine)
            y = outputs[0] if isinstance(outputs, tuple) else outputs
            y.sum().backward()
        except Exception:  # a test that raises is a test that fails
            return True
        gradients.append([mine[i].grad for i in places])
    return not all(
        (a is None and b is None)
        or (a is not None and b is not None and torch.allclose(a, b, rtol=1e-4, atol=1e-5))
        for a, b in zip(*gradients, strict=True)
    )


PEERS: dict[str, Callable[[Any, Any, Inputs], bool]] = {
    "gradcheck, slow": by_gradcheck(gradcheck),
    "gradcheck, fast": by_gradcheck(gradcheck, fast_mode=True),
    "gradgradcheck": by_gradcheck(gradgradcheck),
    "sum().backward()": by_sum_backward,
}


def planted_bugs(seed: int, every: int) -> dict[str, dict[str, int]]:
    """How many of the planted bugs each checker notices; crosscheck also names the cause."""
    bugs = PLANTED[::every]
    found = {name: {"tripping": 0, "ordinary": 0, "named": 0} for name in ("crosscheck", *PEERS)}
    for bug in track(bugs, "planted bugs"):
        for kind in ("tripping", "ordinary"):
            draw = getattr(bug, kind)
            caught, cause = by_crosscheck(bug.wrong, bug.reference, draw(generator(seed)))
            found["crosscheck"][kind] += caught
            found["crosscheck"]["named"] += kind == "tripping" and caught and cause in bug.causes
            for name, noticed in PEERS.items():
                found[name][kind] += noticed(bug.wrong, bug.reference, draw(generator(seed)))
    return {"of": {"bugs": len(bugs)}, **found}


def false_alarms(seed: int, every: int) -> dict[str, int]:
    """How many right functions each checker accuses."""
    functions = RIGHT[::every]
    alarms = dict.fromkeys(("crosscheck", *PEERS), 0)
    for right in track(functions, "right functions"):

        def call(*inputs: Any, right: Any = right) -> Any:
            return right.function(*inputs, **right.kwargs)

        itself, inputs = right.function, right.inputs(generator(seed))
        report = crosscheck(itself, itself, inputs, kwargs=right.kwargs, seed=seed)
        alarms["crosscheck"] += report.verdict == "wrong"
        for name, noticed in PEERS.items():
            alarms[name] += noticed(call, call, right.inputs(generator(seed)))
    return {"of": len(functions), **alarms}


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


def smallest_error_seen(seed: int, seeds: int) -> list[dict[str, Any]]:
    """The smallest relative error of one entry that is noticed for every seed."""
    rows = []
    for size in track((*SIZES[:3], 10_000, 1_000_000), "smallest error"):
        row: dict[str, Any] = {"N": size}
        for name in ("crosscheck", "gradcheck, slow", "gradcheck, fast"):
            if name != "crosscheck" and size > SIZES[2]:
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


def affine_inputs(entries: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """x, weight and bias of about so many entries together."""
    g, features = generator(seed), max(1, round((entries / 2) ** 0.5))
    shapes = ((features, features), (features, features), (features,))
    x, weight, bias = (torch.randn(s, generator=g, dtype=torch.float64) for s in shapes)
    return x.requires_grad_(), weight.requires_grad_(), bias.requires_grad_()


def generator(seed: int) -> Generator:
    return torch.Generator().manual_seed(seed)


def show(results: dict[str, Any], console: Console) -> None:
    bugs, alarms = results["planted bugs"], results["false alarms"]
    table = Table("checker", "bugs, tripping input", "ordinary input", "named", "false alarms")
    for name in ("crosscheck", *PEERS):
        named = str(bugs[name]["named"]) if name == "crosscheck" else "–"
        counts = (str(bugs[name]["tripping"]), str(bugs[name]["ordinary"]))
        table.add_row(name, *counts, named, str(alarms[name]))
    table.caption = f"of {bugs['of']['bugs']} planted bugs and {alarms['of']} right functions"
    console.print(table)
    timed_ones = ("crosscheck", "differences alone", "gradcheck, slow", "gradcheck, fast")
    table = Table("N", *timed_ones, title="seconds: median (least to most)")
    for row in results["seconds"]:
        cells = [
            f"{s['median']:.3g} ({s['min']:.2g} to {s['max']:.2g})" if (s := row.get(name)) else "–"
            for name in timed_ones
        ]
        table.add_row(f"{row['entries']:,}", *cells)
    console.print(table)
    checkers = ("crosscheck", "gradcheck, slow", "gradcheck, fast")
    table = Table("N", *checkers, title="smallest relative error of one entry that is seen")
    for row in results["smallest error"]:
        seen = [row.get(name) for name in checkers]
        table.add_row(f"{row['N']:,}", *(f"{e:.0e}" if isinstance(e, float) else "–" for e in seen))
    console.print(table)


def plot(results: dict[str, Any], file: Path) -> None:
    figure = Figure(figsize=(11, 4), layout="constrained")
    times, errors = figure.subplots(1, 2)
    for name in ("crosscheck", "differences alone", "gradcheck, slow", "gradcheck, fast"):
        rows = [row for row in results["seconds"] if name in row]
        entries = [row["entries"] for row in rows]
        times.loglog(entries, [row[name]["median"] for row in rows], "o-", label=name)
        seen = [row for row in results["smallest error"] if row.get(name)]
        if seen:
            sizes = [row["N"] for row in seen]
            errors.loglog(sizes, [row[name] for row in seen], "o-", label=name)
    times.set(xlabel="entries of an affine op", ylabel="seconds")
    errors.set(xlabel="entries, of which one is wrong", ylabel="smallest relative error seen")
    times.legend()
    errors.legend()
    figure.savefig(file, dpi=120)


def main(
    out: Annotated[Path, typer.Option(help="Folder for the JSON and the plot.")] = Path(
        "runs/benchmark_crosscheck"
    ),
    seed: Annotated[int, typer.Option(min=0, help="Of all inputs.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="Of torch; one is steadiest.")] = 1,
    quick: Annotated[bool, typer.Option("--quick", help="A tenth of the work.")] = False,
) -> None:
    """Which gradient checker sees what, and what it costs."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        typer.echo(f"Error: --out needs a folder that can be made, but {out}: {error}", err=True)
        raise typer.Exit(2) from None
    torch.set_num_threads(threads)
    every, repeats, seeds = (10, 2, 2) if quick else (1, 5, 10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # gradcheck warns of float32 and of inputs without grad
        results = {
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
            "seed": seed,
            "planted bugs": planted_bugs(seed, every),
            "false alarms": false_alarms(seed, every),
            "seconds": seconds_over_size(seed, repeats),
            "smallest error": smallest_error_seen(seed, seeds),
        }
    show(results, Console())
    (out / "benchmark_crosscheck.json").write_text(json.dumps(results, indent=2) + "\n")
    plot(results, out / "benchmark_crosscheck.png")
    print(f"JSON and plot are in {out}.")


if __name__ == "__main__":
    typer.run(main)
