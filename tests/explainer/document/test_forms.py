"""The forms of output: whole, compilable, drawable, and short for large networks."""

import shutil
import subprocess
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import matplotlib.image
import pytest
import torch

from torchref import InputError, explain, nn
from torchref.explainer import Explanation
from torchref.explainer.document.latex_math import latex
from torchref.explainer.document.sections import sections
from torchref.explainer.lectures import LECTURES


def of_batch() -> Explanation:
    torch.manual_seed(0)
    network = nn.SigmoidNetwork((3, 12, 3, 2)).double()
    x, target = torch.rand(3, 3), torch.rand(3, 2)
    return explain(network, nn.BCELoss(), x, target, "linear1.weight", (10, 2))


ALL = {name: lecture.explain for name, lecture in LECTURES.items()} | {"batch": of_batch}


@pytest.mark.parametrize("name", ALL)
def test_text_and_markdown_say_every_factor_and_the_verdict(name: str) -> None:
    found = ALL[name]()
    for form in (str(found), found.markdown()):
        for factor in found.factors:
            assert factor.symbol in form
            assert factor.formula in form
            assert f"{factor.value:.6g}" in form
        assert "The verdict: right" in form
        assert found.gradient in form
    for width in (60, 100):
        text = found.text(width)
        assert max(map(len, text.splitlines())) <= width
        assert "…" not in text.replace("… ", "")  # rows are left out, letters are not


@pytest.mark.parametrize("name", ALL)
def test_latex_compiles(name: str, tmp_path: Path) -> None:
    pdflatex = shutil.which("pdflatex")
    if pdflatex is None:
        pytest.skip("pdflatex is not installed: apt-get install texlive-latex-base")
    (tmp_path / "chain.tex").write_text(ALL[name]().latex(), encoding="utf-8")
    run = subprocess.run(
        [pdflatex, "-interaction=nonstopmode", "-halt-on-error", "chain.tex"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout.decode(errors="replace")[-2000:]
    assert (tmp_path / "chain.pdf").stat().st_size > 10_000


@pytest.mark.parametrize("name", ALL)
def test_latex_has_no_character_left_that_latex_does_not_know(name: str) -> None:
    assert ALL[name]().latex().isascii()


def of_many_layers() -> Explanation:
    network = nn.SigmoidNetwork((3, *(4,) * 7, 2)).double()
    return explain(network, nn.SquaredError("sum"), torch.rand(3), torch.rand(2))


@pytest.mark.parametrize("found", [*ALL.values(), of_many_layers], ids=[*ALL, "many layers"])
def test_the_picture_has_room_for_all_that_it_says(found: Callable[[], Explanation]) -> None:
    figure = found().figure()
    texts = [each.get_window_extent() for each in figure.texts if each.get_text()]
    width, height = figure.get_size_inches() * figure.dpi
    assert min(each.x0 for each in texts) > 0
    assert max(each.x1 for each in texts) < width
    assert min(each.y0 for each in texts) > 0
    assert max(each.y1 for each in texts) < height
    for one, other in combinations(texts, 2):
        assert not one.overlaps(other)


@pytest.mark.parametrize("name", ["matrix-form", "batch"])
def test_the_picture_is_drawn(name: str, tmp_path: Path) -> None:
    found = ALL[name]()
    found.save_png(tmp_path / "chain.png")
    pixels = matplotlib.image.imread(tmp_path / "chain.png")
    assert pixels.shape[0] > 500
    assert 0.005 < (pixels[..., :3] < 0.5).mean() < 0.2  # writing, on white
    with pytest.raises(InputError, match="cannot be"):
        found.save_png(tmp_path / "absent" / "chain.png")


def test_a_large_network_does_not_flood_the_screen() -> None:
    network = nn.SigmoidNetwork((200, 300, 300, 100))
    found = explain(network, nn.SquaredError(), torch.rand(40, 200), torch.rand(40, 100))
    assert found.path_count == 30_000
    assert found.path_sum is None  # too many to be added one by one
    assert len(str(found).splitlines()) < 120
    assert "… 29,992 more paths" in str(found)


def test_a_deep_network_does_not_flood_the_screen_either() -> None:
    network = nn.SigmoidNetwork((1,) * 101).double()
    found = explain(network, nn.SquaredError(), torch.rand(1), torch.rand(1))
    assert len(found.factors) == 201
    assert len(str(found).splitlines()) < 230
    assert max(map(len, found.text(100).splitlines())) <= 100
    assert "161 more" in str(found)


def test_sections_stand_only_where_there_is_something_to_say() -> None:
    titles = [section.title for section in sections(LECTURES["two-neuron-chain"].explain())]
    assert not [title for title in titles if "paths lead" in title or "cancels" in title]
    assert not [title for title in titles if "examples" in title]
    alone = explain(nn.SigmoidNetwork((2, 1)), nn.SquaredError(), torch.rand(2), torch.rand(1))
    assert not [section.title for section in sections(alone) if "recursion" in section.title]


def test_the_example_that_is_followed_is_named() -> None:
    network, x, target = nn.SigmoidNetwork((2, 1)), torch.rand(3, 2), torch.rand(3, 1)
    found = explain(network, nn.SquaredError(), x, target, example=2)
    assert "The forward pass of example 2" in str(found)


def test_the_update_starts_at_the_value_before_and_ends_at_the_one_after() -> None:
    found = LECTURES["two-neuron-chain"].explain("linear1.bias")
    assert "b₁ ← 0.4 − 0.4 · 0.010214 = 0.39591442" in str(found)
    slower = LECTURES["two-neuron-chain"].explain("linear1.bias", rate=0.2)
    assert "b₁ ← 0.4 − 0.2 · 0.010214 = 0.39795721" in str(slower)


@pytest.mark.parametrize(
    ("formula", "written"),
    [
        ("w⁽²⁾₁₁", "w^{(2)}_{11}"),
        ("−(T − a₂)", "-(T - a_{2})"),
        ("∂σ(h₁)/∂h₁", r"\frac{\partial \sigma (h_{1})}{\partial h_{1}}"),
        ("2/6 · (ŷ − y)", r"\frac{2}{6} \cdot  (\hat{y} - y)"),
        ("1.5e-06", r"1.5 \cdot  10^{-6}"),
        ("w⁽¹⁾₁₂‚₃", "w^{(1)}_{12,3}"),
    ],
)
def test_formulas_become_latex(formula: str, written: str) -> None:
    assert latex(formula) == written
