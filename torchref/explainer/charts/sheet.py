"""A drawing as a list of shapes in pixels, which becomes an SVG or an image of Pillow."""

from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from torchref.errors import InputError, not_writable
from torchref.explainer.charts.raster import rastered
from torchref.explainer.charts.shapes import Shape
from torchref.explainer.charts.svg import written

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".svg", ".png")
FINE = 2  # pixels of a PNG file for each of the drawing


@dataclass(frozen=True)
class Sheet:
    """Shapes on white, in the order in which they are drawn; `title` says what is seen.

    >>> from torchref.explainer.charts.shapes import Text
    >>> sheet = Sheet(100, 40, "a greeting", (Text(50, 20, "hello"),))
    >>> "hello" in sheet.svg(), sheet.image().size
    (True, (100, 40))
    """

    width: float
    height: float
    title: str
    shapes: tuple[Shape, ...]

    def svg(self) -> str:
        """Its text can be searched and copied, and lines and boxes say more under the mouse."""
        return written(self.width, self.height, self.title, self.shapes)

    def image(self, scale: int = 1) -> "Image":
        """`scale` pixels for each of the drawing.

        Raises `InputError` where there is more than ASCII to write and matplotlib, which has the
        letters, is not installed.
        """
        return rastered(self.width, self.height, self.shapes, scale)

    def save(self, file: str | PathLike[str]) -> None:
        """An SVG or a PNG, as the file's name ends.

        Raises `InputError` for another ending, and where the file cannot be written.
        """
        form, path = form_of(file), Path(file)
        try:
            if form == "svg":
                path.write_text(self.svg(), encoding="utf-8")
            else:
                self.image(FINE).save(path, "PNG")
        except OSError as error:
            raise not_writable("The drawing", path, error) from error

    def _repr_svg_(self) -> str:
        """What a notebook shows."""
        return self.svg()


def form_of(file: str | PathLike[str]) -> Literal["svg", "png"]:
    """What the ending of a file's name asks for.

    Raises `InputError` for another ending.

    >>> form_of("network.svg")
    'svg'
    """
    match Path(file).suffix.lower():
        case ".svg":
            return "svg"
        case ".png":
            return "png"
    raise InputError(
        f"The name of a drawing's file must end in {' or '.join(SUFFIXES)}",
        f"{fspath(file)!r} arrived",
        "network.svg is one.",
    )
