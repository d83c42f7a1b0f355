"""What a run writes while it trains: TensorBoard's event files, and metrics.csv.

TensorBoard keeps scalars in float32, so metrics.csv holds every value in full. It has one line a
value, and so its header never changes; as a table:

    pandas.read_csv("metrics.csv").pivot(index="step", columns=["run", "tag"], values="value")
"""

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from torch.utils.tensorboard.writer import SummaryWriter

HEADER = ("step", "run", "tag", "value")


class Logbook:
    """Scalars by run and step.

    Each run of the logbook is a folder of its own with the same tags, which is what makes
    TensorBoard draw them over each other in different colours. Steps must rise: TensorBoard drops
    the points of a tag whose step goes back.

    `charts` names further charts, each with its tags, for TensorBoard's CUSTOM SCALARS page.
    """

    def __init__(
        self, folder: Path, runs: Sequence[str], charts: Mapping[str, Sequence[str]]
    ) -> None:
        # Without purge_step=0 here, TensorBoard's slow loader would not purge after a resume.
        self.writers = {run: SummaryWriter(str(folder / run), purge_step=0) for run in runs}
        self.file = (folder / "metrics.csv").open("w", newline="")
        self.csv = csv.writer(self.file)
        self.csv.writerow(HEADER)
        layout = {
            title: ["Multiline", [re.escape(tag) + "$" for tag in tags]]  # they are read as regexes
            for title, tags in charts.items()
        }
        self.writers[runs[0]].add_custom_scalars({" and ".join(runs): layout})

    def log(self, step: int, run: str, scalars: Mapping[str, float]) -> None:
        for tag, value in scalars.items():
            self.writers[run].add_scalar(tag, value, step)
            self.csv.writerow((step, run, tag, repr(value)))

    def flush(self) -> None:
        """At every log point: a process that is ended from outside would lose what is queued."""
        self.file.flush()
        for writer in self.writers.values():
            writer.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.file.close()
        for writer in self.writers.values():
            writer.close()
