"""matplotlib figures, which nothing but a picture needs."""

from collections.abc import Mapping
from typing import Any

from torchref.errors import InputError


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


def line_chart(curves: Mapping[str, Mapping[int, float]], across: str, upwards: str) -> Any:
    """Positive values over whole numbers, one line for each name, upwards in powers of ten."""
    figure = new_figure(7, 4.5)
    figure.set_layout_engine("none")  # the margins fit, and to work them out takes the longest
    axes = figure.subplots()
    for name, values in curves.items():
        axes.semilogy(list(values), list(values.values()), "o-", markersize=3, label=name)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set(xlabel=across, ylabel=upwards)
    axes.legend(fontsize=8)
    return figure
