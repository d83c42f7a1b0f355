"""Explanations, figures and curves in TensorBoard.

They are runs of their own below the run folder: two writers in one folder hide each other. All
images have the size of a card of Time Series; larger ones are files in the run folder.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch.utils.tensorboard.writer import SummaryWriter

from torchref.explainer.charts.drawing import rasterized
from torchref.explainer.charts.sheet import Sheet
from torchref.explainer.document.card import cards_of
from torchref.explainer.explanation import Explanation

if TYPE_CHECKING:
    from PIL.Image import Image

RUN = "explained"
FINE = 3  # times as large as a card, of the figures that are files


def log_explanations(folder: Path, found: Mapping[str, Explanation]) -> None:
    """Each as text, because TensorBoard renders no LaTeX, and as cards: factors, and network.

    The whole of it, with its formulas, and the drawing of the network are files in the folder.
    """
    with SummaryWriter(str(folder / RUN), purge_step=0) as writer:
        for name, explanation in found.items():
            writer.add_text(f"explain/{name}", explanation.markdown(), 0)
            for kind, card in cards_of(explanation).items():
                write(writer, f"explain/{name}{kind}", card)
            explanation.save_png(folder / f"explain_{name}.png")
            explanation.drawing().save(folder / f"network_{name}.svg")


def log_figures(folder: Path, figures: Mapping[str, Any]) -> None:
    """matplotlib figures of the size of a card, also as PNG files in the run folder."""
    with SummaryWriter(str(folder / "figures"), purge_step=0) as writer:
        for name, figure in figures.items():
            rasterized(figure, FINE).save(folder / f"{name}.png")
            write(writer, f"figures/{name}", rasterized(figure))


def log_sheets(folder: Path, sheets: Mapping[str, Sheet]) -> None:
    """Drawings of the size of a card, also as PNG files in the run folder."""
    with SummaryWriter(str(folder / "figures"), purge_step=0) as writer:
        for name, sheet in sheets.items():
            sheet.save(folder / f"{name}.png")
            write(writer, f"figures/{name}", sheet.image())


def write(writer: SummaryWriter, tag: str, image: "Image") -> None:
    writer.add_image(tag, np.asarray(image), 0, dataformats="HWC")


def log_curves(folder: Path, curves: Mapping[str, Mapping[int, float]]) -> None:
    """A run of its own in `folder`: for each tag the values by step."""
    with SummaryWriter(str(folder), purge_step=0) as writer:
        for tag, values in curves.items():
            for step, value in values.items():
                writer.add_scalar(tag, value, step)
