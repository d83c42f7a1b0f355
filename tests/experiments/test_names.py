"""What is said of experiments that there are, and of those that there are not."""

import runpy
import subprocess
import sys

import pytest

import experiments


def told_of(*line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["experiments", *line])
    runpy.run_module("experiments", run_name="__main__")


@pytest.mark.parametrize("columns", [24, 40, 200])
def test_the_list_has_all_with_what_they_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    told_of(monkeypatch=monkeypatch)
    listed = capsys.readouterr().out
    assert {"iris", "digits", "gpt", "benchmark_ops"} <= set(experiments.names())
    assert not {"bundled_data", "__main__", "language"} & set(experiments.names())
    for name in experiments.names():
        assert name in listed.splitlines()
        assert experiments.what_it_does(name).split()[0] in listed


def test_one_is_run_by_its_name_with_its_options(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "experiments.jacobian", raising=False)  # or runpy warns
    with pytest.raises(SystemExit) as end:
        told_of("jacobian", "--nonsense", monkeypatch=monkeypatch)
    assert end.value.code == 2
    assert "No such option: --nonsense" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("nonsense", "Write python"),
        ("iriss", "Did you mean iris?"),
        ("", "Write python"),
        ("bundled_data", "Write python"),
    ],
)
def test_an_unknown_name_is_told_those_that_there_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, fix: str
) -> None:
    with pytest.raises(SystemExit) as end:
        told_of(name, monkeypatch=monkeypatch)
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("Error: an experiment must be one of attention_memory, benchmark_")
    assert f", but {name!r} arrived. {fix}" in said


def test_so_does_pythons_own_way() -> None:
    line = [sys.executable, "-m", "experiments.nonsense", "--seed", "3"]
    ended = subprocess.run(line, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    (message,) = ended.stderr.splitlines()
    assert "gpt, iris, jacobian" in message
    assert "but 'nonsense' arrived." in message
