"""Executes docs/train.ipynb. `python -m tests.training.notebook` keeps what it prints and draws."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
from nbclient import NotebookClient

HOUSE = Path(__file__).parent.parent.parent
NOTEBOOK = HOUSE / "docs" / "train.ipynb"


def read() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)


def executed(folder: Path) -> Any:
    """The notebook as a reader's kernel leaves it, run in that folder."""
    os.environ["PYTHONPATH"] = str(HOUSE)
    notebook = read()
    client = NotebookClient(
        notebook,
        startup_timeout=180,
        timeout=300,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()
    return notebook


def texts(notebook: Any) -> list[str]:
    """What its cells print, cell by cell."""
    return [
        "".join(output.get("text", "") for output in cell.outputs)
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        nbformat.write(executed(Path(folder)), NOTEBOOK)
