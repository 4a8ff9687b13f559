"""The runs table: a long history, finding, live rows, many at once; keys and rights."""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.server import Server, lay_out, serving
from tests.ui.page import Seen, check_access, picture, sign_in

HISTORY = 3000


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with three thousand runs behind it: one that ended, copied."""
    folder = tmp_path_factory.mktemp("old")
    with serving(lay_out(folder)) as found:
        found.ended(found.start("chatty"))
        failed = found.root.post("/admin/jobs/greet/run", json={"params": {"who": "Alice"}}).json()["run_id"]
        found.ended(failed)
        copy_runs(folder / "data", HISTORY)
        yield found


def copy_runs(data: Path, count: int) -> None:
    """More of the newest run, every hundredth failed."""
    [path] = data.glob("*.db")
    base = sqlite3.connect(path, timeout=20)
    names = [row[1] for row in base.execute("PRAGMA table_info(ly2_job_runs)")]
    kept = ", ".join(name for name in names if name not in ("id", "status", "idempotency_key"))
    with base:
        base.execute(
            f"INSERT INTO ly2_job_runs (id, status, {kept}) WITH RECURSIVE n(i) AS "
            "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
            f"SELECT (SELECT max(id) FROM ly2_job_runs) + i, CASE WHEN i % 100 = 0 THEN 'failed' ELSE 'succeeded' END, "
            f"{kept} FROM n, (SELECT * FROM ly2_job_runs ORDER BY id DESC LIMIT 1)",
            (count,),
        )
    base.close()


def test_three_thousand_runs_are_at_most_fifty_rows(old: Server, context: BrowserContext, seen: Seen) -> None:
    page = sign_in(context, old, "root", "/nomaflow/runs")
    expect(page.get_by_role("group", name="Runs by status")).to_contain_text("failed 30")
    rows = page.locator("tbody tr[data-key]")
    expect(rows.first).to_contain_text(f"r-{HISTORY + 2}")
    # As one drags the bar to the end: more comes until the first run of all is there.
    while not page.locator('tr[data-key="r-1"]').is_visible():
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        expect(rows.first).to_be_visible()
        assert rows.count() <= 50
    expect(page.get_by_text("3,002 runs, that is all of them")).to_be_visible()
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator(f'tr[data-key="r-{HISTORY + 2}"]')).to_be_visible()
    assert rows.count() <= 50
    check_access(page)
    picture(page, "runs")
    assert seen.errors == []


def test_the_filter_the_tabs_the_range_and_the_address_are_one(old: Server, context: BrowserContext) -> None:
    page = sign_in(context, old, "root", "/nomaflow/runs")
    page.get_by_role("group", name="Runs by status").get_by_role("button", name="failed").click()
    expect(page).to_have_url(re.compile("q=status%3Afailed"))
    expect(page.get_by_role("table", name="Runs")).to_have_attribute("aria-rowcount", "31")
    page.get_by_label("Time range").select_option("all")
    expect(page).to_have_url(re.compile("last%3Aall"))
    page.get_by_label("Filter runs").fill("job:chatty ")
    expect(page.get_by_role("heading", name="No run fits this filter")).to_be_visible()
    page.get_by_role("button", name="Remove filter status:failed").click()
    expect(page.locator("tbody tr[data-key]")).to_have_count(1)
    page.get_by_label("Time range").select_option("custom")
    page.get_by_label("To", exact=True).fill("2020-01-01")
    expect(page.get_by_role("heading", name="No run fits this filter")).to_be_visible()
    page.get_by_role("button", name="Clear filter").click()
    expect(page).to_have_url(re.compile(r"/nomaflow/runs$"))
    page.goto(f"{old.url}/nomaflow/runs?q=colour%3Ared")
    expect(page.get_by_text("so left out: colour:red")).to_be_visible()


def test_a_filter_is_kept_by_name(old: Server, context: BrowserContext) -> None:
    page = sign_in(context, old, "root", "/nomaflow/runs?q=status%3Afailed")
    page.get_by_role("button", name="Saved").click()
    page.get_by_role("menuitem", name="Save this filter").click()
    page.get_by_label("Name").fill("Night desk")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Night desk")).to_be_visible()
    page.goto(f"{old.url}/nomaflow/runs")
    page.get_by_role("button", name="Saved").click()
    page.get_by_role("menuitem", name="Night desk").click()
    expect(page).to_have_url(re.compile("q=status%3Afailed"))


def test_new_runs_come_in_at_the_top_and_wait_while_one_reads_below(
    old: Server, context: BrowserContext
) -> None:
    page = sign_in(context, old, "root", "/nomaflow/runs")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    first = old.start("greet")
    row = page.locator(f'tr[data-key="{first}"]')
    expect(row).to_contain_text("succeeded")
    page.evaluate("scrollTo(0, 4000)")
    expect(row).to_have_count(0)
    shown = page.locator("tbody tr[data-key]").nth(15)
    expect(shown).to_be_visible()
    before = shown.bounding_box()
    started = [old.start("greet") for _ in range(3)]
    newer = page.get_by_role("button", name="3 newer runs")
    expect(newer).to_be_visible()
    assert shown.bounding_box() == before
    newer.click()
    expect(page.locator("tbody tr[data-key]").first).to_have_attribute("data-key", started[-1])


def test_many_are_run_again_and_aborted_with_a_word_for_each(old: Server, context: BrowserContext) -> None:
    running = old.start("wait")
    page = sign_in(context, old, "root", "/nomaflow/runs")
    expect(page.locator(f'tr[data-key="{running}"]')).to_contain_text("running")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    bar = page.get_by_role("region", name="Selected runs")
    expect(bar).to_contain_text("3 selected")
    check_access(page)
    bar.get_by_role("button", name="Re-run 2 runs").click()
    dialog = page.get_by_role("dialog", name="Run 2 runs again?")
    expect(dialog).to_contain_text("1 run of the selection left out")
    dialog.get_by_role("button", name="Re-run 2 runs").click()
    done = page.get_by_role("dialog", name="2 runs started again")
    expect(done.get_by_role("list").get_by_role("listitem")).to_have_count(2)
    expect(done.get_by_role("link")).to_have_count(2)
    done.get_by_role("button", name="Close").last.click()
    expect(bar).to_have_count(0)
    page.locator(f'tr[data-key="{running}"]').focus()
    page.keyboard.press("a")
    page.get_by_role("dialog", name="Abort this run?").get_by_role("button", name="Abort run").click()
    page.get_by_role("dialog", name="1 run asked to stop").get_by_role("button", name="Close").last.click()
    expect(page.locator(f'tr[data-key="{running}"]')).to_contain_text("aborted")


def test_a_row_opens_beside_the_table_and_enter_does_too(old: Server, context: BrowserContext) -> None:
    page = sign_in(context, old, "root", "/nomaflow/runs?q=job%3Achatty")
    page.locator("tbody tr[data-key]").first.click()
    drawer = page.get_by_role("dialog", name=re.compile("chatty r-1"))
    expect(drawer.get_by_role("region", name="Steps")).to_contain_text("talk")
    expect(page).to_have_url(re.compile("run=r-1"))
    check_access(page)
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    expect(page).not_to_have_url(re.compile("run="))
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    drawer.get_by_role("link", name="Open page").click()
    expect(page.get_by_role("heading", name="chatty", level=1)).to_be_visible()


def test_what_is_filtered_is_what_the_csv_holds(old: Server, context: BrowserContext) -> None:
    page = sign_in(context, old, "root", "/nomaflow/runs?q=job%3Achatty")
    with page.expect_download() as loading:
        page.get_by_role("link", name="CSV").click()
    lines = Path(loading.value.path()).read_text().splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("r-1,chatty,")


def test_without_runs_and_without_rights(context: BrowserContext, server: Server) -> None:
    page = sign_in(context, server, "bob", "/nomaflow/runs")
    expect(page.get_by_role("heading", name="No runs in the last 7 days")).to_be_visible()
    check_access(page)
    other = server.start("greet2")
    server.ended(other)
    seen = server.start("greet")
    expect(page.locator(f'tr[data-key="{seen}"]')).to_be_visible()
    expect(page.locator("tbody tr[data-key]")).to_have_count(1)
