"""Every experiment on real data as a user runs it, and how well it does beside scikit-learn."""

import importlib
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.slow import few_of
from tests.warm_process import run
from torchref.training import Dtype, Gradients

FIGURE = r"([\d.]+)%"


def figures(name: str, logdir: Path, capsys: pytest.CaptureFixture[str], **changes) -> list[float]:
    """The percentages that the experiment prints: ours, and then scikit-learn's."""
    experiment = importlib.import_module(f"experiments.{name}")
    experiment.main(replace(experiment.DEFAULTS, logdir=logdir, quiet=True, **changes))
    printed = capsys.readouterr().out.splitlines()
    return [float(found[1]) for line in printed if (found := re.search(FIGURE, line))]


@pytest.mark.parametrize("seed", [0, 6])  # of the first ten the worst, and the worst in comparison
def test_digits_are_read_as_well_as_scikit_learn_reads_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    ours, theirs = figures("digits", tmp_path, capsys, seed=seed)
    assert ours >= 97
    assert ours >= theirs - 0.5


def test_breast_cancer_is_told_as_well_as_scikit_learn_tells_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, theirs = figures("breast_cancer", tmp_path, capsys)
    assert ours >= 95
    assert ours >= theirs - 1  # one case of the 114 held out is 0.9


def test_diabetes_is_explained_as_well_as_scikit_learn_explains_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, theirs = figures("diabetes", tmp_path, capsys)
    assert ours >= 25
    assert ours >= theirs - 5


@pytest.mark.parametrize("name", ["digits", "breast_cancer", "diabetes"])
def test_every_way_to_the_gradients_ends_alike(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    ways = figures(
        name, tmp_path, capsys, epochs=5, gradients=list(Gradients), dtype=Dtype.FLOAT64
    )[:3]
    assert ways[0] == ways[1] == ways[2]


EVERY = ["digits", "breast_cancer", "diabetes", "compare_gradients", "iris", "two_neuron_chain"]
EVERY += ["log_loss_network", "three_layers", "cost_surface", "matrix_form", "jacobian"]
EVERY += ["several_minima", "vanishing_gradients"]


@pytest.mark.parametrize("name", few_of(EVERY))
def test_a_dry_run_of_the_script_leaves_nothing(tmp_path: Path, name: str) -> None:
    ended = run(f"experiments.{name}", "--dry-run", "--logdir", tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    assert ended.stdout
    assert "Look at it" not in ended.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.cuda
@pytest.mark.parametrize("name", ["digits", "breast_cancer", "diabetes"])
def test_on_cuda(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    on_cpu = figures(name, tmp_path, capsys, epochs=5, dtype=Dtype.FLOAT64)
    on_cuda = figures(name, tmp_path, capsys, epochs=5, dtype=Dtype.FLOAT64, device="cuda")
    assert on_cpu == on_cuda
