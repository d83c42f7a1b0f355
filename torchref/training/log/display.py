"""What a run shows while it trains: a bar on a terminal, lines elsewhere."""

from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from torchref.training.checks.live_check import DIFFERENCE, SCORES, VERDICT

LINES = 10


class Display:
    """Epochs go by. Only the first process shows them, and none if it is to be quiet."""

    def __init__(self, epochs: int, *, shown: bool) -> None:
        console = Console(stderr=True)
        self.shown = shown
        self.every = max(1, epochs // LINES)
        description = TextColumn("{task.description}")
        columns = BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), description
        self.bar = Progress(*columns, console=console) if shown and console.is_terminal else None
        self.task = self.bar.add_task("", total=epochs) if self.bar else None

    def show(self, epoch: int, scalars: Mapping[str, Mapping[str, float]]) -> None:
        """`scalars` holds for each contender what it measured last."""
        text = "   ".join(f"{name}: {in_words(values)}" for name, values in scalars.items())
        if self.bar and self.task is not None:
            self.bar.update(self.task, completed=epoch, description=text)
        elif self.shown and epoch % self.every == 0:
            print(f"epoch {epoch:>5}   {text}", flush=True)


def in_words(values: Mapping[str, float]) -> str:
    words = [f"loss {values['loss/train']:.6f}"]
    if "loss/held_out" in values:
        words.append(f"held out {values['loss/held_out']:.6f}")
    if VERDICT in values:
        verdict = next(name for name, score in SCORES.items() if score == values[VERDICT])
        if DIFFERENCE in values:
            words.append(f"gradients within {values[DIFFERENCE]:.1e} of torch's: {verdict}")
        else:
            words.append(f"gradients by differences of the loss: {verdict}")
    return ", ".join(words)
