"""Tables and lines that read at any width."""

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Column
from rich.table import Table as TableOfRich
from rich.text import Text

WIDE = 80  # columns, from which on a table stays one though what may be folded is, as a path
INDENT = 2  # columns, of what follows the first line of a row told as a list


class Output(Console):
    """Standard output, on which it is a `BrokenPipeError` that the reader has left, as elsewhere.

    rich would end the process with exit status 1, and not a word.
    """

    def on_broken_pipe(self) -> None:
        raise


class Table(TableOfRich):
    """rich's table; where words would not fit into it, each row as a short list.

    A column with `overflow="fold"` may break what is long, but on no narrow console.

    >>> table = Table("op", "checked", title="cross-checked")
    >>> table.add_row("Sigmoid", "18 checks, 1 skipped")
    >>> Console(width=20).print(table)
    cross-checked
    op: Sigmoid
      checked: 18
      checks, 1 skipped
    """

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width
        may_fold = width >= WIDE and any(column.overflow == "fold" for column in self.columns)
        if self._words_fit(console, options) or may_fold:
            yield from super().__rich_console__(console, options)
        else:
            yield from self._as_list(console, width)

    def _words_fit(self, console: Console, options: ConsoleOptions) -> bool:
        """Whether rich, which narrows the widest columns first, leaves each its longest word."""
        needed = [self._measure_column(console, options, column) for column in self.columns]
        for column, need in zip(self.columns, needed, strict=True):
            if need.minimum == need.maximum and column.overflow != "fold":
                column.no_wrap = True  # a column of single words, which rich would narrow too
        inside = options.update_width(max(1, options.max_width - self._extra_width))
        given = self._calculate_column_widths(console, inside)
        return all(need.minimum <= width for need, width in zip(needed, given, strict=True))

    def _as_list(self, console: Console, width: int) -> Iterator[RenderableType]:
        if self.title:
            yield _text(self.title, console, "table.title")
        for row in zip(*(column.cells for column in self.columns), strict=True):
            for place, (column, cell) in enumerate(zip(self.columns, row, strict=True)):
                told = _with_header(column, _text(cell, console), console)
                if told:
                    yield from _indented(told, INDENT if place else 0, console, width)
        if self.caption:
            yield _text(self.caption, console, "table.caption")


def say(told: Text, console: Console) -> None:
    """Print lines: on a terminal broken between words and indented as they begin, else whole."""
    for line in told.split("\n"):
        if console.is_terminal:
            indent = len(line.plain) - len(line.plain.lstrip(" "))
            for part in _indented(line[indent:], indent, console, console.width):
                console.print(part, highlight=False)
        else:
            console.print(line, soft_wrap=True, highlight=False)


def _with_header(column: Column, cell: Text, console: Console) -> Text | None:
    if not cell.plain.strip():
        return None
    header = _text(column.header, console).plain.replace("\n", " ")
    between = "\n" if "\n" in cell.plain else " "
    return Text.assemble(f"{header}:{between}" if header else "", cell)


def _indented(text: Text, by: int, console: Console, width: int) -> Iterator[Text]:
    for line in text.wrap(console, max(1, width - by)):
        line.rstrip()
        line.pad_left(by)
        yield line


def _text(cell: RenderableType, console: Console, style: str = "") -> Text:
    """A cell as text: what stands in these tables is text, or markup."""
    return cell if isinstance(cell, Text) else console.render_str(str(cell), style=style)
