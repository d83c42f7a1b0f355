"""What `torchref explain` says of arguments that it does not take."""

from collections.abc import Callable

import pytest

from torchref.cli import main


@pytest.fixture
def refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """The one message of the command to arguments that it does not take."""

    def call(*arguments: str) -> str:
        monkeypatch.setattr("sys.argv", ["torchref", "explain", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr()
        assert stopped.value.code == 2
        assert len(said.err.strip().splitlines()) == 1
        assert said.out == ""
        return said.err

    return call
