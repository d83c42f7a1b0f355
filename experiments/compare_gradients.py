"""Three ways to the gradients, on the digits, over several seeds: the same curves up to rounding.

Handwritten Functions under autograd, the handwritten reverse sweep without a tape, and torch's own
layers. Every seed is a run; in TensorBoard each way is a curve of it, and one group of the HPARAMS
page has a way with all its seeds.

    python -m experiments.compare_gradients --seeds 5 --dtype float64
"""

from dataclasses import replace
from typing import Annotated

import typer

from experiments import digits
from torchref.checker.report.table import Output, Table
from torchref.training import Gradients, Settings, run_experiment, train

WAYS = list(Gradients)


def main(
    settings: Settings,
    seeds: Annotated[int, typer.Option(min=1, help="How many, from --seed on.")] = 3,
    hidden: Annotated[int, typer.Option(min=1, help="Units of the hidden layer.")] = 32,
) -> None:
    """Three ways to the gradients, on the digits, over several seeds: alike up to rounding."""
    table = Table("seed", *(f"{way}: loss, held out" for way in settings.gradients), "apart by")
    for seed in range(settings.seed, settings.seed + seeds):
        task = replace(digits.task(seed, hidden), name="compare_gradients")
        outcome = train(task, settings.member(seed), begin_missing=seed > settings.seed)
        ends = outcome.scalars.values()
        losses = [end["loss/train"] for end in ends]
        cells = (f"{end['loss/train']:.6f}, {end['accuracy/held_out']:.2%}" for end in ends)
        apart = (max(losses) - min(losses)) / max(losses)
        table.add_row(str(seed), *cells, f"{apart:.1e}")
    Output().print(table)


if __name__ == "__main__":
    run_experiment(main, replace(digits.DEFAULTS, epochs=20, gradients=WAYS), free=["seeds"])
