"""Measures the log pane in Chromium: `python -m tests.ui.measure_log_pane` prints what a person would feel.

A million stored lines: time until the pane can be used, jumps and scrolling. Then a run that says 5,000 lines a second
while the pane follows: the longest task of the page's main thread, and how far the pane is behind.
"""

import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from liberty.jobs.run import LogLine
from liberty.jobs.store import logs
from tests.server import Server, lay_out, serving
from tests.ui.page import launch, sign_in

LINES, PER_SECOND, SECONDS = 1_000_000, 5_000, 15
JOBS = """
[[jobs]]
name = "loud"
app = "hello"
[[jobs.steps]]
type = "python"
name = "talk"
callable = "hello.jobs:talk"
"""
PLUGIN = '''
"""Says as many lines a second as it is asked to."""

import asyncio
import logging
import time

log = logging.getLogger("loud")


async def talk(per_second: int, seconds: float, **_):
    begun = time.perf_counter()
    said = 0
    while (passed := time.perf_counter() - begun) < seconds:
        while said < passed * per_second:
            said += 1
            log.log(logging.WARNING if said % 50 == 0 else logging.INFO, "chunk %d rows=500 \\x1b[32mok\\x1b[0m", said)
        await asyncio.sleep(0.02)
    return {"said": said}
'''
WATCH = """
window.longTasks = [];
new PerformanceObserver(list => window.longTasks.push(...list.getEntries().map(entry => entry.duration)))
    .observe({type: "longtask", buffered: true});
"""
FRAMES = """async () => {
    const pane = document.querySelector(".lines");
    const gaps = [];
    let before = performance.now();
    for (let turn = 0; turn < 240; turn++) {
        pane.scrollTop = turn % 60 === 0 ? pane.scrollHeight * ((turn / 240 * 7.3) % 1) : pane.scrollTop + 90;
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        gaps.push(now - before);
        before = now;
    }
    gaps.sort((a, b) => a - b);
    return {median: gaps[120], p95: gaps[228], most: gaps[239]};
}"""


def processor_time(traced: bytes) -> str:
    """What the page's tasks took of the processor; on a busy machine they stand still in between."""
    events = json.loads(traced)["traceEvents"]
    mains = {
        (one["pid"], one["tid"])
        for one in events
        if one["name"] == "thread_name" and one["args"]["name"] == "CrRendererMain"
    }
    took = sorted(
        one["tdur"] / 1000
        for one in events
        if one["name"].endswith("RunTask") and "tdur" in one and (one["pid"], one["tid"]) in mains
    )
    if not took:
        return "no trace"
    over = sum(1 for one in took if one > 50)
    return (
        f"of {len(took):,} tasks {over} took more than 50 ms of the processor, the longest {took[-1]:.0f} ms"
    )


def tasks(page: Page) -> str:
    """The long tasks since the last question: those over 50 ms are all that a browser tells."""
    found: list[float] = page.evaluate("window.longTasks.splice(0)")
    return f"{len(found)} tasks over 50 ms" + (f", the longest {max(found):.0f} ms" if found else "")


def stored(server: Server) -> str:
    """An ended run with a million lines."""
    run_id = server.start("loud", {"op_kwargs": {"talk": {"per_second": 1, "seconds": 0}}})
    server.ended(run_id)
    first = len(server.root.get(f"/admin/jobs/runs/{run_id}/logs").json()["items"]) + 1
    now = datetime.now(UTC)
    levels = ("INFO", "DEBUG", "INFO", "INFO", "WARNING")
    for start in range(first, LINES + 1, 20_000):
        lines = [
            LogLine(seq, now, levels[seq % 5], "loud", "talk", f"row {seq} of a long log, with some words")
            for seq in range(start, min(start + 20_000, LINES + 1))
        ]
        adding = server.runtime.database.write(logs.add, int(run_id.removeprefix("r-")), lines)
        server.lane.submit(adding).result(120)
    return run_id


def watched(browser: Browser, server: Server, run_id: str) -> Page:
    """The log's page, its long tasks counted from the start."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script(WATCH)
    return sign_in(context, server, "root", f"/nomaflow/runs/{run_id}/log")


def long_log(browser: Browser, server: Server) -> None:
    """Opening, scrolling and filtering a million lines."""
    run_id = stored(server)
    page = watched(browser, server, run_id)
    begun = time.perf_counter()
    page.locator(".ll .ms:not(.wait)").first.wait_for(timeout=120_000)
    print(f"{LINES:,} lines: shown after {time.perf_counter() - begun:.1f} s; {tasks(page)}")
    print(f"  scrolling, a frame took {page.evaluate(FRAMES)} ms; {tasks(page)}")
    page.get_by_role("button", name="Warning").click()
    page.locator(".ll.lv-warning").first.wait_for()
    print(f"  scrolling warnings, a frame took {page.evaluate(FRAMES)} ms; {tasks(page)}")
    memory = page.evaluate("performance.memory.usedJSHeapSize / 2 ** 20")
    print(f"  rows in the document {page.locator('.ll').count()}, heap {memory:.0f} MiB")
    page.context.close()


def live_log(browser: Browser, server: Server) -> None:
    """A loud run, followed."""
    kwargs = {"per_second": PER_SECOND, "seconds": SECONDS}
    run_id = server.start("loud", {"op_kwargs": {"talk": kwargs}})
    page = watched(browser, server, run_id)
    page.get_by_role("button", name="Follow").wait_for()
    page.evaluate("window.longTasks.splice(0)")
    browser.start_tracing(page=page, categories=["toplevel", "devtools.timeline"])
    behind = []
    for _ in range(SECONDS - 3):
        time.sleep(1)
        known = int(page.locator(".log-h .count").first.inner_text().split()[0].replace(",", ""))
        run = server.root.get(f"/admin/jobs/runs/{run_id}").json()
        behind.append(max(0, run["log_lines"] - known))
    print(f"{PER_SECOND:,} lines a second for {SECONDS} s: {tasks(page)}; lines behind the store: {behind}")
    print(f"  {processor_time(browser.stop_tracing())}")
    said = server.ended(run_id)["log_lines"]
    page.get_by_text(f"{said:,} lines").wait_for(timeout=60_000)
    print(f"  all {said:,} lines arrived; {tasks(page)}")
    page.context.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        config = lay_out(Path(folder) / "repo", jobs=JOBS, app="[jobs]\nlog_truncate_kb = 1000000\n")
        (config.parent / "plugins" / "hello" / "jobs.py").write_text(PLUGIN)
        with serving(config) as server, sync_playwright() as playwright:
            browser = launch(playwright)
            live_log(browser, server)
            if "--live" not in sys.argv:
                long_log(browser, server)
            browser.close()


if __name__ == "__main__":
    main()
