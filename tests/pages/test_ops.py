"""The pages of the ops are what docstrings and code say, and their examples run as they stand."""

import doctest
import inspect
import re

import pytest

from tests.pages.callers import functions_of, layers_of
from tests.pages.docstring import markdown, parsed
from tests.pages.ladder import LADDER
from tests.pages.ops import FAMILIES, FOLDER, family_of, index, ops_of, page, source
from torchref import functional, nn, ops
from torchref.catalogue import CATALOGUE
from torchref.nn.exchange import is_handwritten

ANEW = "run python -m tests.pages.ops"
EXAMPLE = re.compile(r"```pycon\n(.*?)```", re.DOTALL)
EXPERIMENTS = FOLDER.parents[1] / "experiments"


def text_of(file: str) -> str:
    return (FOLDER / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("family", FAMILIES)
def test_the_page_of_a_family_is_current(family: str) -> None:
    assert text_of(f"{family}.md") == page(family), ANEW


def test_the_index_is_current() -> None:
    assert text_of("index.md") == index(), ANEW
    assert {file.name for file in FOLDER.iterdir()} == {
        "index.md",
        *(f"{family}.md" for family in FAMILIES),
    }


def test_every_op_is_on_a_page() -> None:
    assert {family_of(name) for name in CATALOGUE} == set(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_its_examples_run_as_they_stand(family: str) -> None:
    examples = EXAMPLE.findall(text_of(f"{family}.md"))
    assert len(examples) == len(ops_of(family))
    for example in examples:
        test = doctest.DocTestParser().get_doctest(example, {}, family, None, None)
        assert len(test.examples) > 2
        assert doctest.DocTestRunner(verbose=False).run(test).failed == 0


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_docstring_has_all_of_its_parts(name: str) -> None:
    told = parsed(inspect.getdoc(CATALOGUE[name].op) or "")
    assert list(told.parts) == ["Derivation:", "Shapes:", "Saves", "Source:"]
    assert told.formula
    assert told.example.startswith(">>> ")


def test_the_ladder_names_what_there_is() -> None:
    for rung in LADDER:
        assert set(rung.ops) <= set(CATALOGUE)
        assert (EXPERIMENTS / f"{rung.run.rpartition('.')[2]}.py").exists()


def test_who_applies_an_op() -> None:
    assert functions_of("Standardisation") == [
        "batch_norm",
        "group_norm",
        "instance_norm",
        "layer_norm",
    ]
    assert {"LayerNorm", "BatchNorm2d", "GroupNorm"} <= set(layers_of("Standardisation"))
    assert "RNNCell" in layers_of("RNNCell")
    assert {"lstm"} <= set(functions_of("LSTM"))
    assert set().union(*map(functions_of, CATALOGUE)) == set(functional.__all__) - {"rotary_tables"}
    named = set().union(*map(layers_of, CATALOGUE))
    layers = {
        name
        for name in nn.__all__
        if isinstance(layer := vars(nn)[name], type) and is_handwritten(layer)
    }
    composed = {"SigmoidNetwork", "TransformerEncoderLayer", "TransformerDecoderLayer"}
    assert named == layers - composed


def test_a_docstring_as_markdown() -> None:
    told = "so with `Tanh` and a < b\n    y^2 = 1\nand _x 2 * 3.\n\n| a | b |\n| --- | --- |"
    assert markdown(told, lambda name: f"[{name}]") == (
        "so with [`Tanh`] and a &#60; b\n\n```text\ny^2 = 1\n```\n\nand &#95;x 2 &#42; 3.\n\n"
        "| a | b |\n| --- | --- |"
    )


def test_the_code_of_an_op_has_no_docstring_and_all_else() -> None:
    told = source(ops.Tanh)
    assert '"""' not in told
    assert told.startswith("class Tanh(Pointwise):\n")
    assert "def forward(x):\n" in told
