"""TensorBoard's pages in headless Chromium, and what is drawn on them."""

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from playwright.sync_api import Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
MISSING = "Chromium is not installed: apt-get install chromium"
PATIENCE = 60  # seconds

Drawn = dict[str, dict[str, list[Any]]]
DRAWN = Path(__file__).with_name("drawn.js").read_text(encoding="utf-8")
# Nothing is cut off as an outlier, and the charts have the room of the settings.
SETTINGS = """
localStorage.setItem('_ignoreYOutliers', 'false');
localStorage.setItem('_tb_global_settings', JSON.stringify(
    {ignoreOutliers: false, timeSeriesSettingsPaneOpened: false, sideBarWidthInPercent: 25}));
"""


class Dashboard:
    """The pages of one server, one after the other."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address

    def show(
        self, name: str, wanted: Mapping[str, Sequence[str]], runs: str = "", tags: str = ""
    ) -> Drawn:
        """Opens a page, and returns what is drawn when all that is wanted is, and keeps still.

        What is below the window's edge is not drawn.
        `runs` and `tags` are regular expressions, for the fields of the page that choose.
        """
        # The page of time series reads its options before the #, the others after it.
        before = {"forceSVG": "true", "smoothing": "0", "runFilter": runs, "tagFilter": tags}
        after = {"_smoothingWeight": "0", "regexInput": runs, "tagFilter": tags}
        place = f"?{urlencode(before, quote_via=quote)}#{name}&{urlencode(after, quote_via=quote)}"
        self.page.goto("about:blank")  # from one page to another, Chromium would not load anew
        self.page.goto(f"{self.address}/{place}")
        end, last = time.monotonic() + PATIENCE, Drawn()
        while time.monotonic() < end:
            drawn: Drawn = self.page.evaluate(DRAWN, name)
            missing = [
                f"{title}: {label}"
                for title, labels in wanted.items()
                for label in labels
                if not any(drawn.get(title, {}).get(label, []))
            ]
            if drawn == last and not missing:
                return drawn
            last = drawn
            self.page.wait_for_timeout(200)
        shown = {title: {run: len(it) for run, it in its.items()} for title, its in last.items()}
        raise AssertionError(f"{name} does not show {missing}, but only {shown}")


@contextmanager
def chromium(width: int = 1400, height: int = 900, scale: float = 1) -> Iterator[Page]:
    """A page of a browser that ends with the block."""
    assert CHROMIUM, MISSING
    with sync_playwright() as driver, driver.chromium.launch(executable_path=CHROMIUM) as browser:
        size = {"width": width, "height": height}
        page = browser.new_page(viewport=size, device_scale_factor=scale)
        page.add_init_script(SETTINGS)
        yield page
