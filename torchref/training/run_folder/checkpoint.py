"""Checkpoints: all that a run needs to go on bit for bit as if it had never stopped.

`last.pt` is the newest one, `previous.pt` the one before it, `best.pt` the one with the lowest
held-out loss. They hold plain types only, and are read without unpickling anything else.
"""

import io
from pathlib import Path
from typing import Any

import torch

from torchref.errors import InputError
from torchref.training.process.atomic import link_whole, remove_partial, write_whole

FORMAT = "torchref checkpoint 5"
State = dict[str, Any]


class Checkpoints:
    """The checkpoints of one run folder."""

    def __init__(self, run: Path) -> None:
        self.folder = run / "checkpoints"
        self.folder.mkdir(exist_ok=True)
        self.last, self.previous, self.best = (
            self.folder / f"{name}.pt" for name in ("last", "previous", "best")
        )
        remove_partial(self.folder)

    def save(self, state: State, *, best: bool = False) -> None:
        """Raises OSError where the disk refuses; the checkpoints from before are then untouched."""
        content = io.BytesIO()
        torch.save({"format": FORMAT, **state}, content)
        if self.last.exists():
            link_whole(self.last, self.previous)
        write_whole(self.last, content.getvalue())
        if best:
            link_whole(self.last, self.best)

    def load(self) -> State:
        """The newest checkpoint that can be read; of one that cannot be the reason is printed.

        Raises `InputError` where there is none.
        """
        reasons = []
        for file in (self.last, self.previous):
            try:
                return read(file)
            except InputError as error:
                reasons.append(str(error))
                if file == self.last and self.previous.exists():
                    print(f"{error} The one before it is used.", flush=True)
        raise InputError(
            "A run goes on from a checkpoint",
            f"{self.folder} has none that can be read",
            reasons[0],
        )


def read(file: Path) -> State:
    """Raises `InputError` for a file that is not there, cut short, or not a run's checkpoint."""
    whole = f"{file} must be a whole checkpoint of a run"
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise InputError(
            whole, "there is no such file", "Was the run ended before it saved?"
        ) from None
    except Exception as error:  # torch.load lets through what zip, pickle and tar raise
        first, *_ = str(error).splitlines() or [type(error).__name__]
        first = first.split(". ")[0]  # torch goes on with what may have happened
        raise InputError(whole, f"it cannot be read ({first})", "Was it cut short?") from error
    if not (isinstance(state, dict) and state.get("format") == FORMAT):
        raise InputError(whole, "it holds something else", "Did another program write it?")
    return state
