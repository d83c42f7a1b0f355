"""Retakes the pictures of README and docs: runs experiments, and photographs TensorBoard's pages.

    python -m screenshots.take

Every page is waited for until what it should show is drawn. What the project draws itself is
remade too, by `screenshots.drawn`.
"""

import io
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Page, expect

from screenshots.drawn import PICTURES, draw_all, run
from tests.training.browser.dashboard import Dashboard, chromium
from tests.training.browser.tensorboard_server import TensorBoard, tensorboard
from torchref.training.log.recorder import CHARTS

IRIS = ["iris/seed0/handwritten", "iris/seed0/torch"]
BOTH = "handwritten|torch"
COLUMNS = ["gradients", "lr", "accuracy/held_out", "loss/held_out"]
# Without what stands at the side, two charts have room in a page of the documentation, and
# TensorBoard's letters there are as large as it shows them.
NO_SIDE_BAR = """
localStorage.setItem('_tb_global_settings', JSON.stringify(
    {ignoreOutliers: false, timeSeriesSettingsPaneOpened: false, sideBarWidthInPercent: 0}));
"""
WAYS, RATES, SEEDS = ["handwritten", "sweep", "torch"], ["0.001", "0.003"], 3


def save(page: Page, name: str, part: str = "body") -> None:
    """With 256 colours, which are enough for a page and a third of the size."""
    taken = page.locator(part).screenshot()
    picture = Image.open(io.BytesIO(taken)).convert("RGB")
    few = picture.quantize(256, dither=Image.Dither.NONE)
    few.save(PICTURES / f"{name}.png", optimize=True)
    print(f"{name}.png: {(PICTURES / f'{name}.png').stat().st_size / 1000:.0f} kB")


def one_training(server: TensorBoard) -> None:
    server.wait_until(lambda: server.last_step(IRIS[1], "loss/train") == 300)
    server.wait_until(lambda: "iris/seed0/explained" in server.ask("runs"))
    difference = "gradients/log10_relative_difference"
    with chromium(920, 570, scale=1.75) as page:
        page.add_init_script(NO_SIDE_BAR)
        wanted = {"loss/train": IRIS, difference: IRIS[:1]}
        Dashboard(page, server.address).show("timeseries", wanted, BOTH, "loss/train|log10")
        save(page, "scalars")
    with chromium(1080, 910, scale=2) as page:
        dashboard = Dashboard(page, server.address)
        dashboard.show("custom_scalars", dict.fromkeys(CHARTS, IRIS[:1]), BOTH)
        for chart in (0, 1):  # the legends of the first row
            page.locator(".toggle-matches-button").nth(chart).dispatch_event("click")
        expect(page.locator("#matches-container .iron-collapse-opened")).to_have_count(2)
        save(page, "custom_scalars", "tf-category-paginated-view")
    with chromium(800, 510) as page:
        page.add_init_script(NO_SIDE_BAR)
        page.goto(f"{server.address}/?tagFilter=explain%2F&runFilter=explained#timeseries")
        cards = page.locator("image-card img")
        expect(cards).to_have_count(2)  # the factors, and the network
        for card in cards.all():
            expect(card).to_have_js_property("complete", True)
        save(page, "explanation")


def many_trainings(server: TensorBoard) -> None:
    def loaded() -> bool:
        runs = [run for run in server.ask("runs") if run.rpartition("/")[2] in WAYS]
        ends = {server.last_step(run, "loss/held_out") for run in runs}
        return len(runs) == len(WAYS) * len(RATES) * SEEDS and ends == {20}

    server.wait_until(loaded)
    with chromium(1200, 420, scale=1.6) as page:
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
        save(page, "hparams", "tf-hparams-sessions-pane")


def main() -> None:
    draw_all()
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
