"""Tables that keep their words: beside each other where they fit, else row by row below."""

from io import StringIO

import pytest
from rich.console import Console
from rich.text import Text

from torchref.checker.report.table import Table, say


def printed(thing: Table | Text, width: int, *, terminal: bool = False) -> list[str]:
    console = Console(
        file=StringIO(), width=width, force_terminal=terminal, color_system=None, highlight=False
    )
    if isinstance(thing, Text):
        say(thing, console)
    else:
        console.print(thing)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def of_ops() -> Table:
    table = Table("op", "error / torch's\nin bfloat16", title="two ops", caption="measured now")
    table.add_column("a way to say it", overflow="fold")
    table.add_row(Text("LogSoftmax"), "0.5", "y = x − log Σ exp x")
    table.add_row("[bold]Sigmoid[/]", "", Text("one\ntwo"))
    return table


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
def test_no_word_is_broken_and_no_line_too_long(width: int) -> None:
    lines = printed(of_ops(), width)
    assert max(map(len, lines)) <= width
    words = set(" ".join(lines).replace("│", " ").split())
    assert {"LogSoftmax", "Sigmoid", "bfloat16", "exp", "0.5", "measured", "now"} <= {
        word.rstrip(":") for word in words
    }


def test_where_the_words_fit_it_is_a_table() -> None:
    assert any(line.startswith("┏━") for line in printed(of_ops(), 60))
    assert any(line.startswith("┏━") for line in printed(of_ops(), 200))


def test_where_they_do_not_each_row_is_a_list() -> None:
    assert printed(of_ops(), 24) == [
        "two ops",
        "op: LogSoftmax",
        "  error / torch's in",
        "  bfloat16: 0.5",
        "  a way to say it: y = x",
        "  − log Σ exp x",
        "op: Sigmoid",
        "  a way to say it:",
        "  one",
        "  two",
        "measured now",
    ]


def test_a_wide_console_keeps_the_table_and_folds_a_path() -> None:
    table = Table("file")
    table.add_column("more", overflow="fold")
    table.add_row("f", "p" * 100)
    assert printed(table, 80)[0].startswith("┏")
    assert not printed(table, 79)[0].startswith("┏")


def test_a_line_is_broken_on_a_terminal_alone() -> None:
    line = Text("     every entry is 32 times too large")
    assert printed(line, 24) == [line.plain]
    assert printed(line, 24, terminal=True) == ["     every entry is 32", "     times too large"]


def test_rich_narrows_no_column_of_single_words() -> None:
    table = Table("Function", *("timed out", "cannot tell") * 3)
    table.add_row("SwishFunction", *"000000")
    lines = printed(table, 72)
    assert lines[0].startswith("┏")
    assert any("│ SwishFunction │" in line for line in lines)
