"""What the tests of pages take from a page: nothing that it shows is passed over."""

from pathlib import Path

import pytest

from tests.page_contents import (
    PAGES,
    Command,
    blocks,
    commands,
    is_a_test_file,
    name_of,
    python,
)
from tests.test_pages import WITH_OUTPUT, printed_in_order

PAGE = """
Save this as
`kernels.py`:

```python
x = 1
```

and run `torchref causes`, or

    pip install x && torchref check kernels.py:F \\
        --quick
    .venv/bin/torchref ops Sine

```
sine
```

1. a list
   goes on

```python
def test_x():
    pass
```
It follows

```
not of the block above
```

```sh
python -m experiments.iris --epochs 3
```

```
$ torchref mutate -- pytest --lf
all caught
```
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    file = tmp_path / "page.md"
    file.write_text(PAGE, encoding="utf-8")
    return file


def test_its_blocks(page: Path) -> None:
    saved, test = python(page)
    assert (saved.code, saved.line, saved.saved_as, saved.shown) == (
        "x = 1\n",
        5,
        "kernels.py",
        None,
    )
    assert is_a_test_file(test)
    assert not is_a_test_file(saved)
    assert test.shown is None


def test_its_commands(page: Path) -> None:
    found = [each for each in commands(page) if each.words is not None or each.experiment]
    assert [(each.words, each.options, each.shown) for each in found] == [
        (["check", "kernels.py:F", "--quick"], ["--quick"], None),
        (["ops", "Sine"], [], "sine\n"),
        (None, ["--epochs"], None),
        (["mutate", "--", "pytest", "--lf"], [], "all caught\n"),
        (["causes"], [], None),
    ]


@pytest.mark.parametrize(
    ("line", "options"),
    [
        ("torchref audit --json r.json train.py --epochs 3", ["--json"]),
        ("torchref audit --html r.html -m package.module --epochs 3", ["--html"]),
        ('torchref check a.py:B --inputs "randn(4, 3)" --order 2', ["--inputs", "--order"]),
        ("torchrun --nproc_per_node=2 -m experiments.digits --steps 3", ["--steps"]),
        ("torchref --version", ["--version"]),
    ],
)
def test_the_options_are_those_of_the_command_itself(line: str, options: list[str]) -> None:
    assert Command(line).options == options


@pytest.mark.parametrize(
    ("shown", "printed", "missing"),
    [
        ("a\nc", "a\nb\nc", None),
        ("c\na", "a\nb\nc", "a"),
        ("a\nd", "a\nb\nc", "d"),
        ("│ Sine │ 0.1 │ right", "│ Sine │ 0.25 │ right", None),
        ("│ Sine │ 0.1 │ wrong", "│ Sine │ 0.25 │ wrong", "│ Sine │ 0.1 │ wrong"),
    ],
)
def test_what_is_shown_is_printed_in_this_order(
    shown: str, printed: str, missing: str | None
) -> None:
    assert printed_in_order(shown, printed) == missing


def test_commands_are_run_and_compared() -> None:
    compared = {name_of(page) for page in WITH_OUTPUT}
    assert {"README.md", "docs/audit.md", "docs/check.md"} <= compared


OF_CHECKS = [page for page in PAGES if page.parent.name == "check"]


@pytest.mark.parametrize("page", OF_CHECKS, ids=name_of)
def test_no_output_stands_apart_from_what_prints_it(page: Path) -> None:
    alone = [each for each in blocks(page.read_text("utf-8")) if not each.language]
    assert alone == []
