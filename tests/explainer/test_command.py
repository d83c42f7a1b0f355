"""The command: every lecture by name, every form, and bad input said in one message."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.explainer.command_line import run
from torchref.cli import main
from torchref.explainer.command import LOSSES
from torchref.explainer.lectures import LECTURES


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


@pytest.mark.parametrize(("columns", "width"), [("60", 60), ("120", 120), ("7", 20)])
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
    arguments: tuple[str, ...], choices: str, refused: Callable[..., str]
) -> None:
    assert choices in refused(*arguments)


def test_the_network_is_drawn_beside_the_text(tmp_path: Path) -> None:
    code, said = run("two-neuron-chain", "--drawing", str(tmp_path / "network.svg"))
    assert code == 0
    assert "The verdict: right" in said
    assert "w₁ 0.15" in (tmp_path / "network.svg").read_text(encoding="utf-8")
    assert run("three-layers", "--drawing", str(tmp_path / "network.png"))[0] == 0
    assert (tmp_path / "network.png").stat().st_size > 10_000


def test_the_drawing_of_every_derivative_marks_none(tmp_path: Path) -> None:
    one, all_of_them = tmp_path / "one.svg", tmp_path / "all.svg"
    assert run("two-neuron-chain", "--drawing", str(one))[0] == 0
    assert run("two-neuron-chain", "--all", "--drawing", str(all_of_them))[0] == 0
    assert "∂ 0.001021" in all_of_them.read_text()
    assert one.read_text() != all_of_them.read_text()


@pytest.mark.parametrize(
    ("file", "said"),
    [("network.pdf", "must end in .svg or .png"), ("absent/network.svg", "No such file")],
)
def test_a_drawing_that_cannot_be_written(
    file: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = ["torchref", "explain", "two-neuron-chain", "--drawing", str(tmp_path / file)]
    monkeypatch.setattr("sys.argv", line)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.out == ""
