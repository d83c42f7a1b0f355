"""A run that is gone on with and has come to its end already: nothing of it is written again."""

from collections.abc import Mapping
from pathlib import Path

from torchref.training.loop.progress import Progress
from torchref.training.model.examples import Examples, Loaded, Measured
from torchref.training.model.task import Task

Scalars = Mapping[str, Mapping[str, float]]


def end_behind(
    progress: Progress, threshold: float, task: Task, parts: Mapping[str, Examples | Loaded]
) -> tuple[str, Scalars]:
    """What has ended the run, and its losses and scores; "" where there is something left to do."""
    end = progress.reached
    if not end and not threshold:
        return "", {}
    measured = {name: Measured(part, task.measured) for name, part in parts.items()}
    scalars = {each.name: each.measure(measured, task.scores) for each in progress.contenders}
    if max(each["loss/train"] for each in scalars.values()) < threshold:
        end = "threshold"
    return end, scalars if end else {}


def told(end: str, progress: Progress, run: Path) -> str:
    """What there is to say of it, and how it goes on where it can."""
    behind, settings = {"epochs": progress.epoch, "steps": progress.step}, progress.settings
    reasons = {
        "patience": "its held-out loss improves no more, as --early-stop has it",
        "threshold": "its loss is below the threshold",
    }
    if end in behind:
        wanted = settings.epochs if end == "epochs" else settings.steps
        reason = f"it was to have {wanted} {end}. More of --{end} goes on"
        if wanted == behind[end]:
            reason = f"these were all. --{end} above {behind[end]} goes on"
    else:
        reason = reasons[end]
    so_far = f"{progress.epoch} epochs, {progress.step} steps"
    return f"Nothing is left to do: {run} has {so_far} behind it, and {reason}."
