"""What a run writes while it trains: TensorBoard's event files, and metrics.csv.

TensorBoard keeps scalars in float32, so metrics.csv holds every value in full. It has one line a
value, and so its header never changes; as a table:

    pandas.read_csv("metrics.csv").pivot(index="step", columns=["run", "tag"], values="value")
"""

import csv
import io
import math
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore[import-untyped]
from tensorboard.plugins.hparams import api_pb2  # type: ignore[import-untyped]
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData  # type: ignore[import-untyped]
from torch import Tensor
from torch.utils.tensorboard.summary import histogram, hparams, scalar
from torch.utils.tensorboard.writer import SummaryWriter

from torchref.training.process.atomic import write_whole

if TYPE_CHECKING:
    from PIL.Image import Image

BINS = 40  # TensorBoard shows 30, and each costs its share of a checksum in Python
HEADER = ("step", "run", "tag", "value")
CATEGORY = "runs laid over each other"
# Neither the model nor how it is trained: a column of theirs would only hide those that tell runs
# apart, and of a group with several seeds TensorBoard shows an arbitrary one.
NOT_COMPARED = ("check_every", "deterministic", "log_every", "seed", "threads")


class Logbook:
    """Scalars and histograms by run and step.

    Each run of the logbook is a folder of its own with the same tags, which is what makes
    TensorBoard draw them over each other in different colours. Steps must rise: TensorBoard drops
    the points of a tag whose step goes back. A logbook opened again goes on after step `after`.

    `charts` names further charts for TensorBoard's CUSTOM SCALARS page, each with what its tags
    begin with; TensorBoard draws one chart for all runs that give it the same tags. `settings`
    fills the HPARAMS page; runs that differ in the seed only are one group there.
    """

    def __init__(
        self,
        folder: Path,
        runs: Sequence[str],
        charts: Mapping[str, str],
        settings: Mapping[str, Any],
        after: int = -1,
    ) -> None:
        table = folder / "metrics.csv"
        keep_until(after, table)
        self.file = table.open("a", newline="")
        self.csv = csv.writer(self.file)
        self.complaints: set[str] = set()
        # TensorBoard's slow loader purges after a resume only where the start had purge_step=0.
        self.writers = {run: SummaryWriter(str(folder / run), purge_step=after + 1) for run in runs}
        layout = {
            title: ["Multiline", [re.escape(beginning)]]  # it is read as a regular expression
            for title, beginning in charts.items()
        }
        self.writers[runs[0]].add_custom_scalars({CATEGORY: layout})
        for run, writer in self.writers.items():
            writer._get_file_writer().add_summary(session_start({**settings, "gradients": run}))
            if after < 0:
                writer.add_text("settings", as_table({**settings, "gradients": run}), 0)

    def log(self, step: int, run: str, scalars: Mapping[str, float]) -> None:
        """One event for all of them: each costs a checksum, which is computed in Python."""
        values = [scalar(tag, value).value[0] for tag, value in scalars.items()]
        self.writers[run]._get_file_writer().add_summary(Summary(value=values), step)
        self.csv.writerows((step, run, tag, repr(value)) for tag, value in scalars.items())

    def log_text(self, step: int, run: str, tag: str, markdown: str) -> None:
        self.writers[run].add_text(tag, markdown, step)

    def log_image(self, step: int, run: str, tag: str, image: "Image") -> None:
        content = io.BytesIO()
        image.save(content, "PNG")
        drawn = Summary.Image(encoded_image_string=content.getvalue(), colorspace=3)
        drawn.width, drawn.height = image.size
        value = Summary.Value(tag=tag, image=drawn)
        self.writers[run]._get_file_writer().add_summary(Summary(value=[value]), step)

    def log_histograms(self, step: int, run: str, tensors: Mapping[str, Tensor]) -> None:
        """One event for all. What cannot be drawn, as it is empty or not finite, is named once."""
        drawn = []
        for tag, x in tensors.items():
            if not x.numel() or not math.isfinite((x.max() - x.min()).item()):
                self.complain(f"{tag}: no histogram, it is empty or its range is not finite")
                continue
            try:
                with np.errstate(over="ignore"):  # of the sum of squares, of which nothing is drawn
                    drawn += histogram(tag, x, BINS).value
            except ValueError as error:  # between neighbouring numbers there is no room for bins
                self.complain(f"{tag}: no histogram, {error}")
        self.writers[run]._get_file_writer().add_summary(Summary(value=drawn), step)

    def complain(self, message: str) -> None:
        if message not in self.complaints:
            self.complaints.add(message)
            print(message, flush=True)

    def flush(self) -> None:
        """At every log point: a process that is ended from outside would lose what is queued."""
        self.file.flush()
        for writer in self.writers.values():
            writer.flush()

    def __enter__(self) -> Self:
        self.threads = ExitStack()
        self.threads.enter_context(errors_heard_once())
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Closes all that can be closed; raises the first `OSError`, if there was no error yet."""
        end = session_end(api_pb2.STATUS_FAILURE if kind else api_pb2.STATUS_SUCCESS)
        steps: list[Callable[[], object]] = [self.file.close]
        for writer in self.writers.values():
            steps += [partial(writer._get_file_writer().add_summary, end), writer.close]
        refused: list[OSError] = []
        with self.threads:
            for step in steps:
                try:
                    step()
                except OSError as refusal:
                    refused.append(refusal)
        if refused and not kind:
            raise refused[0]


def keep_until(step: int, table: Path) -> None:
    """A table with the lines up to `step`: those after it are written again by the resumed run."""
    rows = []
    if table.exists():
        with table.open(newline="") as file:
            # A line that was cut short is after the checkpoint: it is flushed before that is saved.
            rows = [
                row for row in csv.reader(file) if len(row) == len(HEADER) and row[0].isdecimal()
            ]
    content = io.StringIO()
    csv.writer(content).writerows([HEADER, *(row for row in rows if int(row[0]) <= step)])
    write_whole(table, content.getvalue().encode())


def session_start(settings: Mapping[str, Any]) -> Any:
    """The settings of one run, without the list of all that may occur.

    torch's `add_hparams` writes that list too, once a run, and TensorBoard shows the columns of
    an arbitrary one of them; without it, it shows those of all runs.
    """
    plain = {
        name: value if isinstance(value, bool | int | float) else str(value)
        for name, value in settings.items()
        if name not in NOT_COMPARED
    }
    _, start, _ = hparams(plain, {})
    with content_of(start) as content:
        content.session_start_info.group_name = group_name(plain)
    return start


def group_name(settings: Mapping[str, Any]) -> str:
    """What a row of the HPARAMS page is called, which has room for its first word or two.

    >>> group_name({"task": "iris", "lr": 0.1, "gradients": "torch"})
    'torch, iris, lr 0.1'
    """
    first = {name: settings[name] for name in ("gradients", "task") if name in settings}
    rest = {name: value for name, value in settings.items() if name not in first}
    return ", ".join([*first.values(), *(f"{name} {value}" for name, value in rest.items())])


def session_end(status: Any) -> Any:
    _, _, end = hparams({}, {})
    with content_of(end) as content:
        content.session_end_info.status = status
    return end


@contextmanager
def content_of(summary: Any) -> Iterator[Any]:
    """What a summary tells the HPARAMS page, to be changed."""
    plugin = summary.value[0].metadata.plugin_data
    content = HParamsPluginData.FromString(plugin.content)
    yield content
    plugin.content = content.SerializeToString()


def as_table(settings: Mapping[str, Any]) -> str:
    """Markdown, which TensorBoard's TEXT page draws."""
    rows = "\n".join(f"| {name} | {value} |" for name, value in settings.items())
    return f"| setting | value |\n| --- | --- |\n{rows}"


@contextmanager
def errors_heard_once() -> Iterator[None]:
    """Prints no traceback of an `OSError` that a thread of TensorBoard's keeps for its owner.

    The next call of the writer raises it again, in the foreground, where it becomes a message.
    """
    before = threading.excepthook

    def hook(args: threading.ExceptHookArgs) -> None:
        kept = getattr(args.thread, "exception", None)
        if not (isinstance(kept, OSError) and kept is args.exc_value):
            before(args)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = before
