"""Explanations, figures and curves in TensorBoard.

They are runs of their own below the run folder: two writers in one folder hide each other.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch.utils.tensorboard.writer import SummaryWriter

from torchref.explainer.charts.drawing import rasterized
from torchref.explainer.explanation import Explanation

if TYPE_CHECKING:
    from PIL.Image import Image

RUN = "explained"


def log_explanations(folder: Path, found: Mapping[str, Explanation]) -> None:
    """Each as text, because TensorBoard renders no LaTeX, and as a picture with its formulas."""
    with SummaryWriter(str(folder / RUN), purge_step=0) as writer:
        for name, explanation in found.items():
            writer.add_text(f"explain/{name}", explanation.markdown(), 0)
            writer.add_figure(f"explain/{name}", explanation.figure(), 0)
            explanation.save_png(folder / f"explain_{name}.png")


def log_figures(folder: Path, figures: Mapping[str, Any]) -> None:
    """matplotlib figures, also as PNG files in the run folder."""
    log_images(folder, {name: rasterized(figure) for name, figure in figures.items()})


def log_images(folder: Path, images: Mapping[str, "Image"]) -> None:
    """Also as PNG files in the run folder."""
    with SummaryWriter(str(folder / "figures"), purge_step=0) as writer:
        for name, image in images.items():
            image.save(folder / f"{name}.png")
            writer.add_image(f"figures/{name}", np.asarray(image), 0, dataformats="HWC")


def log_curves(folder: Path, curves: Mapping[str, Mapping[int, float]]) -> None:
    """A run of its own in `folder`: for each tag the values by step."""
    with SummaryWriter(str(folder), purge_step=0) as writer:
        for tag, values in curves.items():
            for step, value in values.items():
                writer.add_scalar(tag, value, step)
