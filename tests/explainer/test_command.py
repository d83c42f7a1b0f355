"""The command: every lecture by name, every form, and bad input said in one message."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from torchref.cli import app, main
from torchref.explainer.command import LOSSES
from torchref.explainer.lectures import LECTURES


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["explain", *arguments], catch_exceptions=False)
    return result.exit_code, result.output


@pytest.mark.parametrize("name", LECTURES)
def test_each_lecture_is_explained_by_name(name: str) -> None:
    code, said = run(name)
    assert code == 0
    assert "The verdict: right" in said


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "none"])
def test_a_network_of_ones_own(loss: str, activation: str) -> None:
    place = ("--weight", "2:3,1") if loss == "log" else ("--bias", "1:2")
    options = ("--sizes", "2,3,2,2", "--loss", loss, "--activation", activation, *place)
    code, said = run(*options, "--examples", "3", "--seed", "4")
    assert code == 0
    assert ("linear2.weight[0, 2]" if loss == "log" else "linear1.bias[1]") in said
    assert "All 3 examples" in said


def test_the_seed_draws_the_network_and_the_example() -> None:
    assert run("--seed", "1") == run("--seed", "1")
    assert run("--seed", "1") != run("--seed", "2")
    assert run("three-layers", "--seed", "1") != run("three-layers", "--seed", "2")


def test_a_bias_of_the_matrix_form_is_an_entry_of_the_matrix() -> None:
    code, said = run("matrix-form", "--bias", "1:2")
    assert code == 0
    assert "∂h₂/∂W⁽¹⁾₃₂" in said
    assert "linear1.weight[1, 2]" in said


@pytest.mark.parametrize(("columns", "width"), [("60", 60), ("120", 120), ("7", 40)])
def test_the_text_is_as_wide_as_the_terminal(
    columns: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    _, said = run("--sizes", "9,3,2,1")
    assert width - 10 < max(map(len, said.splitlines())) <= width


def test_a_file_is_as_wide_as_ever(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    written = []
    for columns in ("60", "120"):
        monkeypatch.setenv("COLUMNS", columns)
        run("cost-surface", "--file", str(tmp_path / columns))
        written.append((tmp_path / columns).read_text())
    assert written[0] == written[1]


def test_every_form_can_go_to_a_file(tmp_path: Path) -> None:
    starts = {
        "text": b"linear1",
        "markdown": b"###",
        "latex": rb"\documentclass",
        "png": b"\x89PNG",
    }
    for form, start in starts.items():
        file = tmp_path / form
        assert run("--format", form, "--file", str(file)) == (0, "")
        assert file.read_bytes().startswith(start)


@pytest.mark.parametrize(
    ("arguments", "choices"),
    [
        (("lecture-five",), "log-loss-network, three-layers, cost-surface"),
        (("--sizes", "2,x"), "two or more positive whole numbers"),
        (("--sizes", "2"), "two or more positive whole numbers"),
        (("--sizes", "2,0,1"), "two or more positive whole numbers"),
        (("--loss", "hinge"), ", ".join(LOSSES)),
        (("--activation", "gelu"), "sigmoid, tanh, relu, none"),
        (("--loss", "log", "--output", "tanh"), "fits an output of sigmoid"),
        (("--loss", "logits", "--output", "sigmoid"), "fits an output of none"),
        (("--loss", "cross-entropy", "--output", "tanh"), "fits an output of none"),
        (("--weight", "3:1,1"), "the level must lie in 1 … 2"),
        (("--weight", "1:3,1"), "the input of that level must lie in 1 … 2"),
        (("--weight", "1:1,3"), "the neuron of that level must lie in 1 … 2"),
        (("--weight", "1,1"), "must look like 1:2,1"),
        (("--bias", "2:2"), "the neuron of that level must lie in 1 … 1"),
        (("--bias", "2:1", "--weight", "1:1,1"), "--weight and --bias were given"),
        (("--lr", "-1"), "--lr must be a positive number"),
        (("--lr", "nan"), "--lr must be a positive number"),
        (("--format", "pdf"), "text, markdown, latex, png"),
        (("--format", "png"), "needs a file"),
        (("--file", "/absent/folder/chain"), "can be written"),
        (("two-neuron-chain", "--sizes", "3,2"), "a network, a loss and an example of its own"),
    ],
)
def test_bad_input_is_one_message_with_the_choices(
    arguments: tuple[str, ...],
    choices: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", ["torchref", "explain", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    said = capsys.readouterr()
    assert stopped.value.code == 2
    assert choices in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert said.out == ""
