from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated

import pytest
import torch
import typer

from torchref.errors import InputError
from torchref.training import Gradients, Settings, run_experiment
from torchref.training.command_line import NO_OPTIONS, TRAINED
from torchref.training.process.stopping import Interrupted, NotFiniteError

DEFAULTS = Settings(epochs=7, lr=0.5)
OWN = {"width": 3}


def call(
    monkeypatch: pytest.MonkeyPatch, *arguments: str, refuse: Exception | None = None
) -> tuple[int, list[tuple[Settings, int]]]:
    """The exit status, and what the experiment was called with."""
    calls = []

    def main(settings: Settings, width: Annotated[int, typer.Option(min=1)] = 3) -> None:
        """Learns nothing."""
        if refuse:
            raise refuse
        calls.append((settings, width))

    monkeypatch.setattr("sys.argv", ["experiment", *arguments])
    with pytest.raises(SystemExit) as end:
        run_experiment(main, DEFAULTS)
    assert isinstance(end.value.code, int)
    return end.value.code, calls


def test_an_experiment_has_its_own_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    assert call(monkeypatch) == (0, [(replace(DEFAULTS, own=OWN), 3)])


def test_shared_and_own_options_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = ("--device=auto", "--seed=4", "--epochs=9", "--lr=1e-3", "--logdir=elsewhere")
    settings = Settings(device="auto", seed=4, epochs=9, lr=1e-3, logdir=Path("elsewhere"))
    assert call(monkeypatch, *shared, "--width=8") == (
        0,
        [(replace(settings, own={"width": 8}), 8)],
    )


def test_the_end_is_by_epochs_or_by_steps(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for line, end in (((), (7, None)), (("--steps=5",), (None, 5)), (("--epochs=2",), (2, None))):
        _, [(settings, _)] = call(monkeypatch, *line)
        assert (settings.epochs, settings.steps) == end
    assert call(monkeypatch, "--steps=5", "--epochs=7") == (2, [])
    (message,) = capsys.readouterr().err.splitlines()
    assert message.startswith("Error: A run has an end by --epochs or by --steps, but both arrived")


def test_an_experiment_that_does_not_train_has_no_options_of_training(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[Settings] = []

    def run(*line: str) -> int:
        monkeypatch.setattr("sys.argv", ["experiment", *line])
        with pytest.raises(SystemExit) as end:
            run_experiment(calls.append, Settings(), trains=False)
        return int(end.value.code or 0)

    assert run("--seed", "3", "--dry-run") == 0
    assert calls == [Settings(seed=3, dry_run=True)]
    assert "Look at it" not in capsys.readouterr().out
    for option in ("--epochs=3", "--resume=latest", "--lr=1"):
        assert run(option) == 2
        assert "No such option" in capsys.readouterr().err


def test_the_first_process_alone_speaks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    for rank, heard in (("1", ""), ("0", "Error: It must be odd, but it is 4. Add one.\n")):
        monkeypatch.setenv("RANK", rank)
        refusal = InputError("It must be odd", "it is 4", "Add one.")
        assert call(monkeypatch, refuse=refusal) == (2, [])
        assert capsys.readouterr().err == heard
    assert len(waits) == 1  # the other leaves the first the time to say it


def test_the_last_line_shows_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call(monkeypatch, "--logdir", "my runs")
    assert capsys.readouterr().out.splitlines()[-1].endswith("--logdir 'my runs'")


def test_help_lists_all_options(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "--help") == (0, [])
    text = capsys.readouterr().out
    assert "Learns nothing." in text
    assert "default: (7)" in text
    options = [f"--{name.replace('_', '-')}" for name in TRAINED]
    assert {*TRAINED, *NO_OPTIONS} == {field.name for field in fields(Settings)}
    for option in (*options, "--width"):
        assert option in text


@pytest.mark.parametrize(
    "line",
    [
        "--epochs 0",
        "--epochs two",
        "--steps 0",
        "--steps 1.5",
        "--lr -1",
        "--lr 0",
        "--lr nan",
        "--lr inf",
        "--seed -1",
        "--seed 4294967296",
        "--batch-size 0",
        "--dtype float16",
        "--run-name a/b",
        "--run-name ..",
        "--run-name latest",
        "--gradients magic",
        "--optimizer lbfgs",
        "--check-every -1",
        "--save-every 0",
        "--threads 0",
        "--threads 100000",
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


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (InputError("It must be odd", "it is 4", "Add one."), 2, "Error: It must be odd, but it"),
        (NotFiniteError("The loss is nan"), 1, "Error: The loss is nan"),
        (Interrupted(2, "Stopped as asked"), 130, "Stopped as asked"),
        (Interrupted(15, "Stopped as asked"), 143, "Stopped as asked"),
    ],
)
def test_each_end_has_its_status_and_one_message(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    status: int,
    message: str,
) -> None:
    assert call(monkeypatch, refuse=error) == (status, [])
    shown = capsys.readouterr()
    (line,) = shown.err.splitlines()
    assert line.startswith(message)
    assert shown.out == ""


def test_several_gradients_are_given_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    _, [(settings, _)] = call(monkeypatch, "--gradients", "sweep", "--gradients", "torch")
    assert settings.gradients == [Gradients.SWEEP, Gradients.TORCH]


def test_what_does_not_fit_into_memory_is_one_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(RuntimeError) as refused:
        torch.empty(10**14)
    for error in (refused.value, torch.OutOfMemoryError("CUDA out of memory."), MemoryError()):
        assert call(monkeypatch, refuse=error) == (1, [])
        (message,) = capsys.readouterr().err.splitlines()
        assert message.startswith("Error: A network and its batches must fit into memory, but ")
        assert message.endswith(". Take a smaller network, or a smaller --batch-size.")
        assert ("400000000000000 bytes" in message) == (error is refused.value)
    with pytest.raises(RuntimeError, match="a mistake of ours"):
        call(monkeypatch, refuse=RuntimeError("a mistake of ours"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["--logdir", ""], "--logdir must name something, but '' arrived. Runs go below it"),
        (["--run-name", ""], "--run-name must name something, but '' arrived. Give it a name"),
        (["--run-name", " "], "--run-name must name something, but ' ' arrived. Give it a name"),
        (["--resume", ""], "--resume must name something, but '' arrived. Give a run's folder"),
        (
            ["--resume", "latest", "--run-name", "q"],
            "--resume goes on with a run under the name that it has, but --run-name q arrived "
            "beside --resume latest. Leave out --run-name",
        ),
        (
            ["--resume", "a", "--dry-run"],
            "A dry run begins anew and keeps nothing, but --resume a arrived beside --dry-run.",
        ),
    ],
    ids=" ".join,
)
def test_which_run_is_meant_must_be_clear(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    line: list[str],
    message: str,
) -> None:
    assert call(monkeypatch, *line) == (2, [])
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith(f"Error: {message}")


def test_a_run_may_be_named_as_it_is_called_already(monkeypatch: pytest.MonkeyPatch) -> None:
    status, _ = call(monkeypatch, "--resume", "runs/x/a", "--run-name", "a")
    assert status == 0


def test_a_run_that_goes_on_has_its_own_end_unless_another_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for line, own in ((["--resume=a"], True), (["--resume=a", "--epochs=9"], False), ([], False)):
        _, [(settings, _)] = call(monkeypatch, *line)
        assert settings.own_end is own
    assert Settings(resume="a").own_end
    assert not Settings(resume="a", steps=3).own_end
