"""Every block of docs/callbacks.md runs, and prints what is shown."""

from pathlib import Path

import pytest

pytest.importorskip("lightning")
pytest.importorskip("transformers")
pytest.importorskip("accelerate")

from tests.page_contents import HOUSE, python
from tests.test_pages import printed_in_order

BLOCKS = python(HOUSE / "docs" / "callbacks.md")


@pytest.mark.filterwarnings("ignore:.*LeafSpec.* is deprecated:FutureWarning")
@pytest.mark.filterwarnings("ignore:.*does not have many workers")
@pytest.mark.parametrize("number", [0, 1], ids=["lightning", "transformers"])
def test_its_python(
    number: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert len(BLOCKS) == 2
    monkeypatch.chdir(tmp_path)
    exec(BLOCKS[number].code, {"__name__": "page"})
    assert BLOCKS[number].shown
    assert printed_in_order(BLOCKS[number].shown, capsys.readouterr().out) is None
    assert list((tmp_path / "runs").rglob("events.*"))
