"""Shapes as an image, by Pillow."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchref.explainer.charts.drawing import of_matplotlib
from torchref.explainer.charts.shapes import Box, Dot, Line, Shape, Text

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

# Lines are drawn so many times as large and reduced: for edges without steps, and because Pillow is
# a pixel or two off the width of oblique ones. The more, the more memory: three bytes a pixel.
SMOOTH, MOST_PIXELS = (8, 4, 2), 20_000_000
ANCHORS = {"start": "lm", "middle": "mm", "end": "rm"}


def rastered(width: float, height: float, shapes: Iterable[Shape], scale: int) -> "Image":
    """On white. Text is drawn last, and at its own size, where the font keeps its stems sharp."""
    from PIL import Image, ImageDraw

    shapes, pixels = list(shapes), scale * scale * width * height
    smooth = next((n for n in SMOOTH if n * n * pixels <= MOST_PIXELS), SMOOTH[-1])
    fine = scale * smooth
    large = Image.new("RGB", (round(width) * fine, round(height) * fine), "white")
    pen = ImageDraw.Draw(large)
    for shape in shapes:
        draw(pen, shape, fine)
    image = large.reduce(smooth)
    pen = ImageDraw.Draw(image)
    texts = [shape for shape in shapes if isinstance(shape, Text)]
    is_plain = all(each.text.isascii() for each in texts)
    for each in texts:
        size = scale * each.size
        font = plain_font(size) if is_plain else font_of_symbols(size, each.bold)
        place = (scale * each.x, scale * each.y)
        pen.text(place, each.text, each.colour, font, ANCHORS[each.anchor])
    return image


def draw(pen: "ImageDraw", shape: Shape, scale: int) -> None:
    match shape:
        case Line():
            points = [(scale * x, scale * y) for x, y in shape.points]
            pen.line(points, shape.colour, max(1, round(scale * shape.width)), joint="curve")
        case Box():
            corners = (shape.x, shape.y, shape.x + shape.width, shape.y + shape.height)
            pen.rounded_rectangle(
                [scale * each for each in corners],
                radius=3 * scale,
                fill=shape.fill,
                outline=shape.edge if shape.edge_width else None,
                width=round(scale * shape.edge_width),
            )
        case Dot():
            pen.circle((scale * shape.x, scale * shape.y), scale * shape.radius, shape.colour)


@cache
def plain_font(size: float) -> Any:
    """Pillow's own, which has little more than ASCII."""
    from PIL import ImageFont

    return ImageFont.load_default(size)


@cache
def font_of_symbols(size: float, bold: bool) -> Any:
    """DejaVu Sans, which matplotlib brings: it has all letters of the formulas."""
    from PIL import ImageFont

    fonts = Path(of_matplotlib("matplotlib").get_data_path()) / "fonts" / "ttf"
    return ImageFont.truetype(fonts / f"DejaVuSans{'-Bold' if bold else ''}.ttf", size)
