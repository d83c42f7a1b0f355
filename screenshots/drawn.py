"""Remakes the pictures of docs that the project draws itself, without a browser.

    python -m screenshots.drawn

They are the networks of the lectures, as SVG, and the figures that their experiments leave in the
run folder.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from torchref.explainer.charts.sheet import Sheet
from torchref.explainer.lectures import LECTURES

HOUSE = Path(__file__).parents[1]
PICTURES = HOUSE / "docs" / "pictures"

NETWORKS = {
    "lecture_000_network": "log-loss-network",
    "lecture_000_every_derivative": "log-loss-network",
    "lecture_001_network": "three-layers",
    "lecture_002_network": "cost-surface",
    "lecture_003_network": "two-neuron-chain",
    "lecture_004_network": "matrix-form",
}
# By experiment, and by the name that a figure has in its run folder.
FIGURES = {
    "cost_surface": {"one_weight": "lecture_002_one_weight", "surface": "lecture_002_surface"},
    "several_minima": {"several_minima": "lecture_002_several_minima"},
    "jacobian": {"jacobian": "lecture_002_jacobian"},
    "vanishing_gradients": {
        "gradient_norm_by_layer": "lecture_003_gradient_norm_by_layer",
        "first_over_last": "lecture_003_first_over_last",
    },
}


def run(experiment: str, *options: str) -> None:
    line = [sys.executable, "-m", f"experiments.{experiment}", "--quiet", *options]
    subprocess.run(line, cwd=HOUSE, check=True, stdout=subprocess.DEVNULL)


def network(name: str) -> Sheet:
    """Of the lecture whose picture has this name; with the path of its first weight, or none."""
    return LECTURES[NETWORKS[name]].explain().drawing(highlight=name.endswith("_network"))


def draw_all() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name in NETWORKS:
        network(name).save(PICTURES / f"{name}.svg")
    with TemporaryDirectory() as logdir:
        for experiment, figures in FIGURES.items():
            run(experiment, "--logdir", logdir, "--run-name", "picture")
            for name, picture in figures.items():
                drawn = Path(logdir, experiment, "picture", f"{name}.png")
                shutil.copy(drawn, PICTURES / f"{picture}.png")
    for file in sorted(PICTURES.glob("lecture_*")):
        print(f"{file.name}: {file.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    draw_all()
