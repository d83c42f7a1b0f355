"""The notebook runs from its first cell to its last, and prints what it shows."""

import re
from pathlib import Path

import pytest

pytest.importorskip("nbclient", reason="the extra dev brings it")
pytest.importorskip("matplotlib", reason="the extra dev brings it")

from tests.training.notebook import executed, read, texts

# The last digits are the processor's, and what is found of a cause takes the time that it has.
VARIES = re.compile(r"\d+\.\d+(e[+-]\d+)?|^ .*\n", re.MULTILINE)


def test_it_prints_what_it_shows(tmp_path: Path) -> None:
    found, shown = executed(tmp_path), read()
    assert [VARIES.sub("", text) for text in texts(found)] == [
        VARIES.sub("", text) for text in texts(shown)
    ]
    assert "Handwritten against Torch: wrong" in "".join(texts(found))
    *_, drawn = found.cells[-1].outputs
    assert "image/png" in drawn.data
