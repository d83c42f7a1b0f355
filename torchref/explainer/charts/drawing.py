"""matplotlib figures, which nothing but a picture needs."""

from typing import TYPE_CHECKING, Any

import numpy as np

from torchref.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image


def new_figure(width: float, height: float) -> Any:
    """An empty figure in inches, as `SummaryWriter.add_figure` takes it.

    Raises `InputError` where matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InputError(
            "A picture needs matplotlib",
            "it is not installed",
            "pip install 'torchref[experiments]', or take the text.",
        ) from error
    return Figure(figsize=(width, height), layout="constrained")


def rasterized(figure: Any) -> "Image":
    """What Pillow has of a matplotlib figure; without pyplot, which keeps windows in mind."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
