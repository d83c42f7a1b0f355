"""The drawing of a network, with the values, the gradients, and the path of one of them."""

from collections.abc import Iterator

from torchref.explainer.chain.account import Account
from torchref.explainer.chain.paths import Path
from torchref.explainer.charts.shapes import GREY, INK, ORANGE, RED, Box, Shape, Text, width_of
from torchref.explainer.charts.sheet import Sheet
from torchref.explainer.diagram.cells import Cell, cells_of, placed, room_for, shares_of
from torchref.explainer.diagram.network import diagram_of, unmarked
from torchref.explainer.diagram.strokes import labels, strokes_of
from torchref.explainer.diagram.style import Style

MARGIN, TINT = 10.0, "#fdeedd"
Legend = tuple[tuple[str, str], ...]


def drawing_of(found: Account, path: Path | None, style: Style, *, is_marked: bool = True) -> Sheet:
    """Of the explained example; along the path, or along all, nodes and edges are highlighted."""
    diagram = diagram_of(found.view, path, style.most)
    title, seen = f"{found.gradient} = {found.evidence.product:.6g}", "with the path of "
    if not is_marked:
        diagram = unmarked(diagram)
        title, seen = f"Every derivative of {found.notation.loss}", "with "
    cells = cells_of(diagram, style)
    legend, head, shares = (
        legend_of(found, style, is_marked=is_marked),
        2.9 * style.line,
        shares_of(diagram, style),
    )
    if style.card is None:
        wide, high = room_for(cells, style, shares)
        written = sum(width_of(text, style.size) + style.size for text, _ in legend)
        wide = max(wide, written, width_of(title, style.size + 2, bold=True))
        room = Box(MARGIN, head + MARGIN, wide, high)
        width, height = wide + 2 * MARGIN, room.y + high + MARGIN
    else:
        width, height = style.card
        room = Box(2, head, width - 4, height - head - 2)
    cells = placed(cells, style, shares, room)
    strokes = strokes_of(diagram, cells, style)
    boxes = [cell.box for column in cells for cell in column]
    shapes = (
        Text(room.x, style.line, title, style.size + 2, INK, "start", bold=True, kind="title"),
        *legend_texts(legend, room.x, 2.2 * style.line, style),
        *(stroke.line for stroke in strokes),
        *(shape for column in cells for cell in column for shape in drawn(cell, style)),
        *(shape for label in labels(strokes, boxes, style) for shape in label.shapes()),
    )
    sizes = "-".join(map(str, found.sizes))
    return Sheet(width, height, f"A network of {sizes}, {seen}{title}", shapes)


def legend_of(found: Account, style: Style, *, is_marked: bool) -> Legend:
    """What the colours mean, and of which example the neurons are."""
    loss, net = found.notation.loss, found.notation.net
    delta = f"δ = ∂{loss}/∂{net}"
    red, orange = delta, "its path"
    if style.says_all:
        red = f"gradients: {delta}, and ∂ of a weight is ∂{loss}/∂w"
        orange = f"path of {found.gradient}"
    legend = [("values", INK), (red, RED), *([(orange, ORANGE)] if is_marked else [])]
    if len(found.contributions) > 1:
        legend.append((f"example {found.example} of {len(found.contributions)}", GREY))
    return tuple(legend)


def legend_texts(legend: Legend, x: float, y: float, style: Style) -> Iterator[Text]:
    for text, colour in legend:
        yield Text(x, y, text, style.size, colour, "start")
        x += width_of(text, style.size) + style.size


def drawn(cell: Cell, style: Style) -> Iterator[Shape]:
    box = cell.box
    if not cell.is_gap:
        fill, edge, wide = (TINT, ORANGE, 2.0) if cell.on_path else ("#ffffff", GREY, 1.0)
        kind = "node path" if cell.on_path else "node"
        yield Box(box.x, box.y, box.width, box.height, fill, edge, wide, kind)
    y = box.y + (0 if cell.is_gap else style.padding) + style.line / 2
    for row, (text, colour) in enumerate(cell.lines):
        x = box.x + box.width / 2
        yield Text(x, y + row * style.line, text, style.size, colour)
