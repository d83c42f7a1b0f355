"""One's own numbers, weights and depths: what is taken, and what is refused in one message."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.explainer.command_line import run
from torchref import InputError, nn
from torchref.explainer.given.weights import load_weights
from torchref.explainer.lectures import FLOWER, LECTURES, lecture

VALUES = {
    "linear1.weight": [[0.15, -0.5], [0.25, 0.75]],
    "linear1.bias": [0.4, -0.4],
    "linear2.weight": [[0.45, 0.3]],
    "linear2.bias": [0.65],
}


def written(folder: Path, kind: str, values: dict[str, object] = VALUES) -> Path:
    file = folder / f"weights.{kind}"
    match kind:
        case "json":
            file.write_text(json.dumps(values))
        case "npz":
            np.savez(file, **{name: np.array(value) for name, value in values.items()})
        case _:
            torch.save({name: torch.tensor(value) for name, value in values.items()}, file)
    return file


@pytest.mark.parametrize("kind", ["json", "npz", "pt", "pth"])
def test_weights_of_a_file_are_those_of_the_network(kind: str, tmp_path: Path) -> None:
    network = nn.SigmoidNetwork((2, 2, 1)).double()
    load_weights(network, written(tmp_path, kind))
    for name, parameter in network.named_parameters():
        near = 1e-7 if kind.startswith("pt") else 0  # saved in float32
        torch.testing.assert_close(
            parameter.detach(),
            torch.tensor(VALUES[name], dtype=torch.float64),
            rtol=near,
            atol=near,
        )


def test_the_lectures_chain_from_ones_own_numbers(tmp_path: Path) -> None:
    """A 1-1-1 network with the weights of lecture 003 is the lecture's chain, number by number."""
    chain = {"linear1.weight": 0.15, "linear1.bias": 0.40}
    chain |= {"linear2.weight": [[0.45]], "linear2.bias": [0.65]}
    file = written(tmp_path, "json", chain)
    numbers = ("--x", "0.1", "--target", "0.25", "--weights", str(file), "--lr", "0.4")
    code, said = run("--sizes", "1,1,1", "--loss", "half-squared", *numbers)
    assert code == 0
    assert "0.0010213958" in said
    assert "0.15 − 0.4 · 0.0010214 = 0.14959144" in said
    assert run("two-neuron-chain", "--x", "0.2")[1] != run("two-neuron-chain")[1]
    same = run("two-neuron-chain", "--x", "0.1", "--target", "0.25", "--weights", str(file))
    assert same == run("two-neuron-chain")


def test_several_examples_of_ones_own() -> None:
    code, said = run("cost-surface", "--x", "1,2,3,4;-1,0,1,2", "--target", "1,0;0,1")
    assert code == 0
    assert "All 2 examples" in said
    assert "the sum over 2 examples" in said
    code, said = run("--x", "1,2;3,4; 5,6")
    assert code == 0
    assert "All 3 examples" in said


def test_the_flower_is_one_of_the_iris_data() -> None:
    datasets = pytest.importorskip("sklearn.datasets", reason="experiments' data sets are an extra")
    iris = datasets.load_iris()
    kept = iris.target != 0
    flowers = iris.data[kept]
    assert tuple(flowers[0]) == FLOWER
    assert iris.target_names[iris.target[kept][0]] == "versicolor"
    standardised = (flowers[0] - flowers.mean(axis=0)) / flowers.std(axis=0)
    assert LECTURES["iris"].x == pytest.approx(tuple(standardised), abs=2e-3)


@pytest.mark.parametrize("levels", [1, 2, 12, 30])
def test_the_gradient_vanishes_at_any_chosen_depth(levels: int) -> None:
    found = lecture("vanishing-gradients", levels).explain()
    assert len(found.sizes) == levels + 1
    assert found.verdict == "right"
    assert abs(found.factors[-1].value * found.deltas[-1].values[0]) <= 0.25**levels
    code, said = run("vanishing-gradients", "--levels", str(levels))
    assert code == 0
    assert f"in a network of {'-'.join(['1'] * (levels + 1))}" in said


def bad_files(folder: Path) -> dict[str, Callable[[], Path]]:
    def text(name: str, content: str | bytes) -> Path:
        file = folder / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def saved(value: object) -> Path:
        torch.save(value, folder / "saved.pt")
        return folder / "saved.pt"

    def objects() -> Path:
        np.savez(folder / "objects.npz", a=np.array([{}], dtype=object))
        return folder / "objects.npz"

    def changed(**values: object) -> Path:
        names = {name.replace("_", "."): value for name, value in values.items()}
        return written(folder, "json", {**VALUES, **names})

    return {
        "cannot be: No such file": lambda: folder / "absent.json",
        "cannot be: Is a directory": lambda: (folder / "d.json", (folder / "d.json").mkdir())[0],
        "a .json, .npz or .pt file, but": lambda: text("weights.txt", "{}"),
        "must be JSON, but": lambda: text("weights.json", "{"),
        "is not: 'utf-8' codec": lambda: text("bytes.json", b"\xff\xfe"),
        "must be an archive of arrays, but": lambda: text("weights.npz", "no archive"),
        "archive of arrays": objects,
        "must be a state_dict, and no more, but": lambda: text("weights.pt", "no archive"),
        "torch.save(network.state_dict(), file)": lambda: saved(nn.SigmoidNetwork((2, 1))),
        "must hold linear1.weight, linear1.bias": lambda: text("list.json", "[1, 2]"),
        "holds nothing": lambda: text("empty.json", "{}"),
        "holds linear1.weight, linear1.bias, linear2.weight, linear2.bias, more": lambda: written(
            folder, "json", {**VALUES, "more": 1}
        ),
        "linear1.weight must be finite numbers, in lists of one length, but tensor": lambda: saved(
            {name: torch.tensor(value) * (1 + 1j) for name, value in VALUES.items()}
        ),
        "must have the shape (2, 2), but (2, 3) arrived": lambda: changed(
            linear1_weight=[[1, 2, 3], [4, 5, 6]]
        ),
        "lists of one length, but [[1, 2], [3]] arrived": lambda: changed(
            linear1_weight=[[1, 2], [3]]
        ),
        "linear1.bias must be finite numbers": lambda: changed(linear1_bias=["a", "b"]),
        "linear2.bias must be finite numbers": lambda: changed(linear2_bias=[float("nan")]),
        "linear1.bias must be finite numbers, in lists of one length, but None": lambda: changed(
            linear1_bias=None
        ),
    }


@pytest.mark.parametrize("said", bad_files(Path()))
def test_a_file_that_holds_no_weights_is_said(said: str, tmp_path: Path) -> None:
    file = bad_files(tmp_path)[said]()
    with pytest.raises(InputError) as refused:
        load_weights(nn.SigmoidNetwork((2, 2, 1)).double(), file)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--x", "1"), "--x must be 2 numbers with commas between"),
        (("--x", "1,2,3"), "--x must be 2 numbers with commas between"),
        (("--x", "1,a"), "'1,a' arrived. One example is --x 0.5,0.5"),
        (("--x", ""), "'' arrived"),
        (("--x", "1,nan"), "'1,nan' arrived"),
        (("--x", "1,2;"), "'1,2;' arrived"),
        (("--target", "0.5,0.5"), "--target must be one number for an example"),
        (("--target", "2"), "must lie in [0, 1]"),
        (("--target", "1;0"), "must have as many examples, but there are 1 and 2"),
        (("--x", "1,2;3,4", "--examples", "3"), "--examples 3 arrived beside 2"),
        (("two-neuron-chain", "--x", "0.1;0.2"), "there are 2 and 1"),
        (("--levels", "3"), "must go with vanishing-gradients"),
        (("iris", "--levels", "3"), "but iris arrived with it"),
        (("--weights", "/absent.json"), "/absent.json cannot be: No such file"),
        (("--sizes", "100000000,2,1"), "at most 1,000,000 weights, but 200,000,002"),
        (("--sizes", "9" * 5000 + ",1"), "two or more positive whole numbers"),
        (("--sizes", ",".join(["1"] * 500)), "at most 300 levels, but 499"),
        (("--examples", "99999999999"), "numbers in all examples"),
    ],
)
def test_bad_numbers_are_one_message(
    arguments: tuple[str, ...], said: str, refused: Callable[..., str]
) -> None:
    assert said in refused(*arguments)
