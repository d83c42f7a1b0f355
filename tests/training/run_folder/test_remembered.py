"""A command line that names a run to go on with, and not all that it began with."""

from pathlib import Path
from typing import Any

import pytest

from torchref.training import Gradients, Optimizer, Settings, run_experiment
from torchref.training.run_folder.run_folder import RunFolder

BEGUN = Settings(
    lr=0.03,
    optimizer=Optimizer.ADAM,
    gradients=[Gradients.SWEEP, Gradients.TORCH],
    batch_size=8,
    autocast=False,
    seed=4,
    own={"hidden": 7},
)


def went_on(
    monkeypatch: pytest.MonkeyPatch, logdir: Path, *line: str
) -> tuple[dict[str, Any], Settings]:
    """What an experiment, called as this file is, gets of its own and of the shared options."""
    calls = []

    def main(settings: Settings, hidden: int = 3, seeds: int = 1) -> None:
        calls.append(({"hidden": hidden, "seeds": seeds}, settings))

    monkeypatch.setattr("sys.argv", ["experiment", "--logdir", str(logdir), *line])
    with pytest.raises(SystemExit):
        run_experiment(main, Settings(lr=0.5), free=["seeds"])
    (call,) = calls
    return call


def begun(logdir: Path, below: str, name: str) -> RunFolder:
    return RunFolder.create(logdir, f"test_remembered{below}", name, BEGUN.curve())


@pytest.mark.parametrize(
    ("below", "name", "resume"),
    [
        ("", "part", "part"),
        ("", "part", "{path}"),
        ("", "[1]", "[1]"),
        ("", "part_s4", "part"),  # one of several
        ("/folded", "part", "part"),
        ("/folded", "part", "latest"),
        ("", "part", "latest"),
    ],
)
def test_what_it_does_not_give_is_the_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, below: str, name: str, resume: str
) -> None:
    path = begun(tmp_path, below, name).path
    line = ["--resume", resume.format(path=path), *(["--seed=4"] if resume == "latest" else [])]
    own, settings = went_on(monkeypatch, tmp_path, *line)
    assert own == {"hidden": 7, "seeds": 1}
    assert settings.curve() == BEGUN.curve()
    assert type(settings.optimizer) is Optimizer
    assert [type(each) for each in settings.gradients] == [Gradients, Gradients]


def test_what_it_gives_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(tmp_path, "", "part")
    line = ["--resume", "part", "--lr", "0.5", "--hidden", "3", "--seeds", "9"]
    own, settings = went_on(monkeypatch, tmp_path, *line)
    assert own == {"hidden": 3, "seeds": 9}
    assert (settings.lr, settings.batch_size) == (0.5, 8)


def test_without_that_run_the_defaults_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(tmp_path, "", "part")
    for name in ("another", "latest"):
        own, settings = went_on(monkeypatch, tmp_path, "--resume", name)
        assert (own["hidden"], settings.lr) == (3, 0.5)
