from pathlib import Path
from typing import Annotated

import pytest
import typer

from torchref.errors import InputError
from torchref.training import Settings, run_experiment

DEFAULTS = Settings(epochs=7, lr=0.5)


def call(
    monkeypatch: pytest.MonkeyPatch, *arguments: str, refuse: bool = False
) -> tuple[int, list[tuple[Settings, int]]]:
    """The exit status, and what the experiment was called with."""
    calls = []

    def main(settings: Settings, width: Annotated[int, typer.Option(min=1)] = 3) -> None:
        """Learns nothing."""
        if refuse:
            raise InputError("The width must be odd", f"it is {width}", "Give another.")
        calls.append((settings, width))

    monkeypatch.setattr("sys.argv", ["experiment", *arguments])
    with pytest.raises(SystemExit) as end:
        run_experiment(main, DEFAULTS)
    assert isinstance(end.value.code, int)
    return end.value.code, calls


def test_an_experiment_has_its_own_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    assert call(monkeypatch) == (0, [(DEFAULTS, 3)])


def test_shared_and_own_options_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = ("--device=auto", "--seed=4", "--epochs=9", "--lr=1e-3", "--logdir=/tmp/x")
    settings = Settings(device="auto", seed=4, epochs=9, lr=1e-3, logdir=Path("/tmp/x"))
    assert call(monkeypatch, *shared, "--width=8") == (0, [(settings, 8)])


def test_the_last_line_shows_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call(monkeypatch, "--logdir", "my runs")
    assert capsys.readouterr().out.splitlines()[-1].endswith("tensorboard --logdir 'my runs'")


def test_help_lists_all_options(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "--help") == (0, [])
    text = capsys.readouterr().out
    assert "Learns nothing." in text
    for option in ("--device", "--seed", "--epochs", "--lr", "--logdir", "--width"):
        assert option in text


@pytest.mark.parametrize(
    "line",
    [
        "--epochs 0",
        "--epochs two",
        "--lr -1",
        "--lr 0",
        "--lr nan",
        "--lr inf",
        "--seed -1",
        "--seed 4294967296",
        "--width 0",
        "--depth 3",
        "surplus",
    ],
)
def test_a_bad_option_ends_with_status_2_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    assert call(monkeypatch, *line.split()) == (2, [])
    errors = capsys.readouterr().err
    assert "Traceback" not in errors
    assert errors.count("─ Error ─") == 1
    assert line.split()[0] in errors


def test_bad_input_ends_with_status_2_and_its_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "--width", "4", refuse=True) == (2, [])
    shown = capsys.readouterr()
    assert shown.err == "Error: The width must be odd, but it is 4. Give another.\n"
    assert "tensorboard" not in shown.out
