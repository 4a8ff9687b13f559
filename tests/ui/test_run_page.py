"""The run page: waterfall, tries, an opened step, what changed, comparing, running again, live, rights."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.server import JOBS, Server, lay_out, serving
from tests.ui.page import Seen, check_access, picture, sign_in

FLIGHTS = """
[[jobs]]
name = "flights"
app = "reporting"
retry = { attempts = 3, base_seconds = 0.2 }
[jobs.params]
period = "2013-10"
limit = 85
[[jobs.steps]]
type = "python"
name = "stage-flights"
callable = "hello.flights:stage"
[[jobs.steps]]
type = "python"
name = "match-planes"
callable = "hello.flights:match_planes"
continue_on_error = true
[[jobs.steps]]
type = "python"
name = "publish-delays"
callable = "hello.flights:publish"
"""

PLUGIN = '''\
"""Flights of the tests."""

import time


def stage(period, **_):
    time.sleep(0.2)
    rows = [{"carrier": carrier, "flights": 100, "late": None} for carrier in ("AA", "MQ", "B6")]
    return {"rows_affected": 27268, "rows_read": 27270, "rows": rows}


def match_planes(limit, **_):
    time.sleep(0.1)
    check_rate(85.4, limit)
    return {"rows_affected": 27268}


def check_rate(rate, limit):
    if rate < limit:
        raise ValueError(f"match rate {rate} % is below limit = {limit}")


def publish(period, **_):
    return {"rows_affected": 812, "board": {"period": period, "parts": [1, 2]}}
'''


@pytest.fixture(scope="module")
def flights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("flights")
    config = lay_out(folder, jobs=JOBS + FLIGHTS)
    (folder / "plugins" / "hello" / "flights.py").write_text(PLUGIN)
    with serving(config) as found:
        yield found


@pytest.fixture(scope="module")
def good(flights: Server) -> str:
    run_id = flights.start("flights")
    assert flights.ended(run_id)["status"] == "succeeded"
    return run_id


@pytest.fixture(scope="module")
def bad(flights: Server, good: str) -> str:
    run_id = flights.start("flights", {"params": {"limit": 92, "period": "2013-11"}})
    assert flights.ended(run_id)["status"] == "partial-success"
    return run_id


def test_a_failed_run_opens_at_its_error_with_the_lines_of_the_plugin(
    flights: Server, bad: str, context: BrowserContext, seen: Seen
) -> None:
    page = sign_in(context, flights, "root", f"/nomaflow/runs/{bad}")
    expect(page.get_by_role("heading", name="flights", level=1)).to_be_visible()
    failed = step_of(page, "match-planes")
    expect(failed).to_have_attribute("aria-expanded", "true")
    panel = page.get_by_role("tabpanel", name="Error")
    expect(panel).to_contain_text("match rate 85.4 % is below limit = 92")
    expect(panel.locator(".hit").first).to_contain_text("raise ValueError")
    panel.get_by_role("button", name="Whole traceback").click()
    expect(panel).to_contain_text("Traceback (most recent call last)")
    page.get_by_role("tab", name="Error").focus()
    page.keyboard.press("ArrowLeft")
    tries = page.get_by_role("table", name="Tries").get_by_role("row")
    expect(tries).to_have_count(3)
    expect(page.get_by_text("The same error each time.")).to_be_visible()
    lane = page.locator("li.step", has=page.get_by_role("button", name=re.compile("match-planes")))
    # Two tries, the waits behind them, and the last try in red.
    for kind, count in {"b-try": 2, "b-wait": 2, "b-bad": 1, "b-ghost": 1}.items():
        expect(lane.locator(f"rect.{kind}")).to_have_count(count)
    page.get_by_role("tab", name="Error").click()
    check_access(page)
    picture(page, "run")
    assert seen.errors == []


def test_what_changed_since_the_last_success(
    flights: Server, good: str, bad: str, context: BrowserContext
) -> None:
    page = sign_in(context, flights, "root", f"/nomaflow/runs/{bad}")
    changed = page.get_by_role("region", name=re.compile("Changed since the last success"))
    expect(changed.get_by_role("link", name=good)).to_be_visible()
    first = changed.get_by_role("listitem").first
    expect(first).to_contain_text("Params, likely cause")
    expect(first).to_contain_text("85 → 92")
    page.get_by_role("link", name="Compare").click()
    expect(page).to_have_url(re.compile(rf"compare\?a={good}&b={bad}"))
    table = page.get_by_role("region", name="Differences")
    expect(table.get_by_role("row", name=re.compile("period"))).to_contain_text(
        re.compile("2013-10.*2013-11")
    )
    steps = page.get_by_role("region", name="Steps")
    expect(steps.get_by_role("row", name=re.compile("match-planes"))).to_contain_text("1 → 3")
    check_access(page)
    page.get_by_role("button", name="Swap").click()
    expect(page).to_have_url(re.compile(rf"compare\?a={bad}&b={good}"))
    page.get_by_label("Second run").fill("999999")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nothing here for you")).to_be_visible()


def step_of(page: Page, name: str) -> Locator:
    """The step's row in the waterfall; the log has a fold of the same name."""
    return page.get_by_role("region", name="Steps").get_by_role("button", name=re.compile(name))


def test_steps_open_to_rows_as_a_table_and_to_json_as_a_tree(
    flights: Server, good: str, context: BrowserContext
) -> None:
    page = sign_in(context, flights, "root", f"/nomaflow/runs/{good}")
    step_of(page, "stage-flights").click()
    rows = page.get_by_role("region", name="Rows")
    expect(rows.get_by_role("columnheader")).to_have_text(["carrier", "flights", "late"])
    expect(rows.get_by_role("row", name=re.compile("MQ"))).to_contain_text("null")
    page.get_by_role("tab", name="Input").click()
    expect(page.get_by_role("tabpanel", name="Input")).to_contain_text('"2013-10"')
    step_of(page, "stage-flights").click()
    step_of(page, "publish-delays").click()
    expect(page.get_by_role("tabpanel", name="Output")).to_contain_text("board")
    page.get_by_role("button", name="Table", exact=True).click()
    table = page.get_by_role("region", name="Steps").get_by_role("table")
    expect(table.get_by_role("row", name=re.compile("stage-flights"))).to_contain_text("27,27027,268")
    check_access(page)


def test_run_it_again_as_it_was_from_a_step_with_other_params(
    flights: Server, bad: str, context: BrowserContext
) -> None:
    page = sign_in(context, flights, "root", f"/nomaflow/runs/{bad}")
    page.get_by_role("button", name="Re-run from here").click()
    dialog = page.get_by_role("dialog", name=f"Run {bad} again")
    expect(dialog.get_by_label("Begin at")).to_have_value("match-planes")
    dialog.get_by_label("As it was").check()
    limit = dialog.get_by_label("limit")
    limit.fill("many")
    expect(limit).to_have_attribute("aria-invalid", "true")
    expect(dialog.get_by_role("button", name="Re-run")).to_be_disabled()
    limit.fill("80")
    expect(dialog.get_by_text("1 param changed")).to_be_visible()
    check_access(page)
    dialog.get_by_role("button", name="Re-run").click()
    expect(page).not_to_have_url(re.compile(rf"/{bad}$"))
    expect(page.get_by_role("link", name=f"Replay of {bad}")).to_be_visible()
    expect(page.locator(".st.big")).to_have_text("Succeeded")
    expect(page.get_by_text("from step match-planes")).to_be_visible()
    made = page.url.rsplit("/", 1)[1]
    told = flights.root.get(f"/admin/jobs/runs/{made}").json()
    assert (told["params"]["limit"], told["params"]["period"]) == (80, "2013-11")
    expect(page.locator("li.step", has_text="stage-flights")).to_contain_text(f"taken from {bad}")


def test_a_run_is_watched_and_aborted(flights: Server, context: BrowserContext) -> None:
    run_id = flights.start("wait")
    page = sign_in(context, flights, "root", f"/nomaflow/runs/{run_id}")
    expect(page.locator(".st.big")).to_have_text("Running")
    expect(page.locator("li.step rect.b-run")).to_have_count(1)
    expect(page.get_by_role("button", name="Re-run")).to_have_count(0)
    page.keyboard.press("a")
    dialog = page.get_by_role("dialog", name="Abort this run?")
    expect(dialog.get_by_role("button", name="Keep running")).to_be_focused()
    dialog.get_by_role("button", name="Abort").click()
    expect(page.locator(".st.big")).to_have_text("Aborted")
    expect(page.get_by_role("button", name="Abort", exact=True)).to_have_count(0)
    expect(page.get_by_role("button", name="Re-run").first).to_be_visible()


def test_who_may_only_read_and_abort_sees_no_replay(flights: Server, context: BrowserContext) -> None:
    run_id = flights.start("greet")
    flights.ended(run_id)
    page = sign_in(context, flights, "bob", f"/nomaflow/runs/{run_id}")
    expect(page.locator(".st.big")).to_have_text("Succeeded")
    expect(page.get_by_role("button", name="Re-run")).to_have_count(0)
    page.goto(f"{flights.url}/nomaflow/runs/{flights.start('greet2')}")
    expect(page.get_by_role("heading", name="Nothing here for you")).to_be_visible()
