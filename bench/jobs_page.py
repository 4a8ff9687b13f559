"""How long the jobs page with 500 jobs takes from navigation until it answers a key: `python -m bench.jobs_page`."""

import statistics
import tempfile
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.server import lay_out, serving
from tests.ui.history import remember
from tests.ui.page import browsing, launch, sign_in

JOBS = 500
TIMES = 7
_JOB = """\
[[jobs]]
name = "job-{number:03}"
app = "app-{app}"
tags = ["etl", "tag-{app}"]
schedule = "{minute} * * * *"
[[jobs.steps]]
type = "python"
callable = "hello.jobs:say"
"""
# Since the navigation began: until rows stand there, and until a key has moved the focus to one of them.
_READY = """async () => {
    const row = () => document.querySelector("tr[data-key]");
    const frame = () => new Promise(requestAnimationFrame);
    while (!row()) await frame();
    const rows = performance.now();
    while (document.activeElement !== row()) {
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "j", bubbles: true }));
        await frame();
    }
    return [rows, performance.now()];
}"""


def measure(page: Page, url: str) -> tuple[float, float]:
    """Milliseconds until rows are there, and until a key is answered."""
    page.goto(url, wait_until="commit")
    rows, answered = page.evaluate(_READY)
    return rows, answered


def main() -> None:
    """Print what a first visit takes and what later ones take."""
    text = "".join(_JOB.format(number=n, app=n % 7, minute=n % 60) for n in range(JOBS))
    folder = tempfile.TemporaryDirectory()
    with folder, serving(lay_out(Path(folder.name), jobs=text)) as server:
        for number in range(JOBS):
            remember(server, f"job-{number:03}", "s" * 50 + "fkmlpcassf", every=timedelta(hours=1))
        with sync_playwright() as playwright:
            browser = launch(playwright)
            with browsing(browser, size=(1440, 1000)) as context:
                page = sign_in(context, server, "root", "/sign-in")
                found = [measure(page, f"{server.url}/nomaflow") for _ in range(TIMES)]
                drawn = page.locator("tr[data-key]").count()
            browser.close()
    first, *later = found
    print(f"{JOBS} jobs with 60 instants each, {drawn} rows in the document")
    print(f"first visit: rows after {first[0]:.0f} ms, a key answered after {first[1]:.0f} ms")
    print(
        f"later, median of {len(later)}: rows after {statistics.median(row for row, _ in later):.0f} ms, "
        f"a key answered after {statistics.median(key for _, key in later):.0f} ms"
    )


if __name__ == "__main__":
    main()
