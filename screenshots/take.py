"""Retakes the pictures in the README: experiments are run, and TensorBoard's pages photographed.

    python -m screenshots.take

Every page is waited for until what it should show is drawn.
"""

import io
import subprocess
import sys
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Page, expect

from tests.training.browser.dashboard import Dashboard, chromium
from tests.training.browser.tensorboard_server import TensorBoard, tensorboard
from torchref.training.log.recorder import CHARTS

HERE = Path(__file__).parent
IRIS = ["iris/seed0/handwritten", "iris/seed0/torch"]
BOTH = "handwritten|torch"
COLUMNS = ["gradients", "lr", "accuracy/held_out", "loss/held_out"]
WAYS, RATES, SEEDS = ["handwritten", "sweep", "torch"], ["0.001", "0.003"], 3


def run(experiment: str, *options: str) -> None:
    line = [sys.executable, "-m", f"experiments.{experiment}", "--quiet", *options]
    subprocess.run(line, cwd=HERE.parent, check=True, stdout=subprocess.DEVNULL)


def save(page: Page, name: str) -> None:
    """With 256 colours, which are enough for a page and a third of the size."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    few = picture.quantize(256, dither=Image.Dither.NONE)
    few.save(HERE / f"{name}.png", optimize=True)
    print(f"{name}.png: {(HERE / f'{name}.png').stat().st_size / 1000:.0f} kB")


def one_training(server: TensorBoard) -> None:
    server.wait_until(lambda: server.last_step(IRIS[1], "loss/train") == 300)
    server.wait_until(lambda: "iris/seed0/explained" in server.ask("runs"))
    difference = "gradients/log10_relative_difference"
    with chromium(1200, 620, scale=1.35) as page:
        wanted = {"loss/train": IRIS, difference: IRIS[:1]}
        Dashboard(page, server.address).show("timeseries", wanted, BOTH, "loss/train|log10")
        save(page, "scalars")
    with chromium(1080, 910, scale=1.5) as page:
        dashboard = Dashboard(page, server.address)
        dashboard.show("custom_scalars", dict.fromkeys(CHARTS, IRIS[:1]), BOTH)
        for chart in (0, 1):  # the legends of the first row
            page.locator(".toggle-matches-button").nth(chart).dispatch_event("click")
        expect(page.locator("#matches-container .iron-collapse-opened")).to_have_count(2)
        save(page, "custom_scalars")
    with chromium(1080, 965) as page:
        wanted = {"explain/linear1.weight": ["iris/seed0/explained"]}
        Dashboard(page, server.address).show("images", wanted)
        page.get_by_text("Show actual image size").click()
        save(page, "explanation")


def many_trainings(server: TensorBoard) -> None:
    def loaded() -> bool:
        runs = [run for run in server.ask("runs") if run.rpartition("/")[2] in WAYS]
        ends = {server.last_step(run, "loss/held_out") for run in runs}
        return len(runs) == len(WAYS) * len(RATES) * SEEDS and ends == {20}

    server.wait_until(loaded)
    with chromium(1280, 560, scale=1.25) as page:
        Dashboard(page, server.address).show("hparams", {})
        boxes = page.locator(".hparam-checkbox, .metric-checkbox")
        expect(boxes.last).to_be_visible()
        for box in boxes.all():
            if (box.inner_text() in COLUMNS) != (box.get_attribute("checked") is not None):
                box.dispatch_event("click")
        headers = page.locator(".table-header:visible")
        expect(headers).to_have_text(["Trial ID", "Show Metrics", *COLUMNS])
        rows = page.locator(".session-group-table tbody tr:visible")
        expect(rows).to_have_count(len(WAYS) * len(RATES))
        save(page, "hparams")


def main() -> None:
    with TemporaryDirectory() as folder, chdir(folder):
        run("iris", "--logdir", f"{folder}/one/runs", "--run-name", "seed0", "--check-every", "1")
        for rate in RATES:
            run("compare_gradients", "--logdir", f"{folder}/many/runs", "--lr", rate)
        for name, take in {"one": one_training, "many": many_trainings}.items():
            # The page shows the name of the folder as it is given.
            with chdir(name), tensorboard(Path("runs")) as server:
                take(server)


if __name__ == "__main__":
    main()
