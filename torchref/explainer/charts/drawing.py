"""matplotlib figures, which nothing but a picture needs."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from torchref.errors import InputError
from torchref.explainer.charts.shapes import CARD_HEIGHT, CARD_WIDTH

if TYPE_CHECKING:
    from PIL.Image import Image

CARD_DPI = 72


def new_figure(width: float, height: float, dpi: float = 100) -> Any:
    """An empty figure in inches, as `SummaryWriter.add_figure` takes it.

    Raises `InputError` where matplotlib is not installed.
    """
    figures = of_matplotlib("matplotlib.figure")
    return figures.Figure(figsize=(width, height), dpi=dpi, layout="constrained")


def of_matplotlib(module: str) -> Any:
    """One of its modules.

    Raises `InputError` where it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise InputError(
            "A picture needs matplotlib",
            "it is not installed",
            "pip install 'torchref[experiments]', or take the text.",
        ) from error


def card_figure() -> Any:
    """An empty figure that is drawn at 72 dots an inch as large as a card of TensorBoard."""
    return new_figure(CARD_WIDTH / CARD_DPI, CARD_HEIGHT / CARD_DPI, CARD_DPI)


def rasterized(figure: Any, scale: int = 1) -> "Image":
    """What Pillow has of a matplotlib figure, so many times as large as it is.

    Without pyplot, which keeps windows in mind.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    dpi = figure.dpi
    figure.set_dpi(scale * dpi)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    figure.set_dpi(dpi)
    return Image.fromarray(np.array(canvas.buffer_rgba())).convert("RGB")
