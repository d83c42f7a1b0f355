"""Shapes as an SVG, whose text stays text."""

from collections.abc import Iterable
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from torchref.explainer.charts.shapes import Box, Dot, Line, Shape, Text

FONTS = "'DejaVu Sans', Verdana, Arial, sans-serif"
TO_MIDDLE = 0.36  # of the font's size, from the middle of a letter down to the line it stands on


def written(width: float, height: float, title: str, shapes: Iterable[Shape]) -> str:
    """The whole file, on white whatever is behind it."""
    root = Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "width": short(width),
            "height": short(height),
            "viewBox": f"0 0 {short(width)} {short(height)}",
            "role": "img",
            "font-family": FONTS,
        },
    )
    SubElement(root, "title").text = title
    SubElement(root, "rect", {"width": "100%", "height": "100%", "fill": "#ffffff"})
    for shape in shapes:
        add(root, shape)
    ElementTree.indent(root, space=" ")
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def add(root: Element, shape: Shape) -> None:
    match shape:
        case Line():
            points = " ".join(f"{short(x)},{short(y)}" for x, y in shape.points)
            drawn = SubElement(root, "polyline", {"class": shape.kind, "points": points})
            drawn.attrib |= {"fill": "none", "stroke": shape.colour}
            drawn.set("stroke-width", short(shape.width))
        case Box():
            drawn = SubElement(root, "rect", {"class": shape.kind, "rx": "3"})
            for side in ("x", "y", "width", "height"):
                drawn.set(side, short(getattr(shape, side)))
            drawn.attrib |= {"fill": shape.fill, "stroke": shape.edge}
            drawn.set("stroke-width", short(shape.edge_width))
        case Dot():
            place = {"cx": short(shape.x), "cy": short(shape.y), "r": short(shape.radius)}
            SubElement(root, "circle", place | {"fill": shape.colour})
            return
        case Text():
            baseline = shape.y + TO_MIDDLE * shape.size
            place = {"class": shape.kind, "x": short(shape.x), "y": short(baseline)}
            style = {"font-size": short(shape.size), "fill": shape.colour}
            drawn = SubElement(root, "text", place | style | {"text-anchor": shape.anchor})
            if shape.bold:
                drawn.set("font-weight", "bold")
            drawn.text = shape.text
            return
    if shape.tip:
        SubElement(drawn, "title").text = shape.tip


def short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
