"""The schedule page: what a week came to, what is to come, why, going about, freezing, phones."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.server import JOBS, Server, lay_out, serving
from tests.ui import past
from tests.ui.page import PHONE, Seen, browsing, check_access, picture, sign_in, violations

LAST_WEEK = "?date={:%Y-%m-%d}"
LIVED = ("billing-nightly-rebuild", "crm-hourly-sync", "flights-nightly")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With the past of the last week."""
    folder = lay_out(tmp_path_factory.mktemp("week"), jobs=JOBS + past.JOBS + past.SEVERAL)
    with serving(folder) as found:
        past.live_through(found, past.monday(1), past.monday(), LIVED)
        yield found


def last_week(context: BrowserContext, server: Server, person: str = "root", more: str = "") -> Page:
    day = past.monday(1) + timedelta(days=2)
    return sign_in(context, server, person, f"/nomaflow/schedule?date={day:%Y-%m-%d}{more}")


def lane(page: Page, job: str):  # type: ignore[no-untyped-def]  # a Locator, which the stubs do not export
    return page.locator(f'svg[data-job="{job}"]')


def test_a_week_is_told_in_a_sentence_and_drawn_in_lanes(
    server: Server, context: BrowserContext, seen: Seen
) -> None:
    page = last_week(context, server)
    # 7 nights of two jobs, and the hours of the week but those before midnight in Paris is midnight in London.
    # In the outage lay 02:00 of the hourly and the nightly job, and 02:30.
    expect(page.get_by_text(re.compile("18[01] due so far"))).to_be_visible()
    expect(page.get_by_role("button", name="3 missed")).to_be_visible()
    expect(lane(page, "billing-nightly-rebuild")).to_have_attribute(
        "aria-label", re.compile("At 02:00.*6 succeeded, 1 missed")
    )
    expect(lane(page, "crm-hourly-sync")).to_have_attribute("aria-label", re.compile("1 missed"))
    expect(page.get_by_text("no scheduler 45 min")).to_be_visible()
    expect(lane(page, "flights-nightly").locator("path.k-bad")).to_have_count(1)
    expect(lane(page, "flights-nightly").locator("path.k-fut")).to_have_count(0)
    check_access(page)
    picture(page, "schedule")
    assert seen.errors == []


def test_what_is_to_come_is_hollow_and_now_is_a_line(server: Server, context: BrowserContext) -> None:
    page = sign_in(context, server, "root", "/nomaflow/schedule?view=day")
    expect(page.get_by_text(re.compile(r"^now \d\d:\d\d$"))).to_be_visible()
    page.get_by_role("button", name="Next day").click()
    expect(lane(page, "crm-hourly-sync")).to_have_attribute("aria-label", re.compile("24 Scheduled"))
    expect(lane(page, "crm-hourly-sync").locator("path.k-fut")).to_have_count(1)
    expect(page.get_by_text(re.compile("to come"))).to_be_visible()


def test_a_click_on_a_missed_instant_says_why_and_runs_it(server: Server, context: BrowserContext) -> None:
    page = last_week(context, server, more="&q=job:billing-nightly-rebuild")
    picture_of = lane(page, "billing-nightly-rebuild")
    expect(picture_of).to_be_visible()
    box = picture_of.bounding_box()
    assert box is not None
    wednesday = past.monday(1) + timedelta(days=2, hours=2)
    begin = page.evaluate(
        "day => new Date(day.slice(0, 4), day.slice(5, 7) - 1, day.slice(8, 10)).getTime()",
        f"{past.monday(1):%Y-%m-%d}",
    )
    share = (wednesday.timestamp() * 1000 - begin) / (7 * 24 * 3_600_000)
    picture_of.click(position={"x": box["width"] * share + 2, "y": 20})
    why = page.get_by_role("dialog", name="Why did it not run?")
    expect(why).to_contain_text("missed")
    expect(why).to_contain_text("scheduler was down")
    expect(why.get_by_role("button", name="Close")).to_be_focused()
    assert violations(page) == []
    why.get_by_role("button", name="Run for this instant").click()
    expect(page.get_by_text("billing-nightly-rebuild runs for that instant")).to_be_visible()
    expect(why).to_have_count(0)
    expect(picture_of).to_be_focused()


def test_keys_go_through_lanes_instants_days_and_weeks(server: Server, context: BrowserContext) -> None:
    page = last_week(context, server)
    expect(lane(page, "crm-hourly-sync")).to_be_visible()
    for _ in range(4):
        page.keyboard.press("j")
    expect(lane(page, "crm-hourly-sync")).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("w")
    why = page.get_by_role("dialog", name="What became of it")
    expect(why).to_contain_text("crm-hourly-sync")
    expect(why.get_by_role("link", name=re.compile("Open r-"))).to_be_visible()
    page.keyboard.press("Escape")
    expect(lane(page, "crm-hourly-sync")).to_be_focused()
    page.get_by_role("heading", name="Schedule", level=1).click()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(f"date={past.monday():%Y-%m-%d}"))
    page.keyboard.press("1")
    expect(page).to_have_url(re.compile("view=day"))
    page.keyboard.press("0")
    expect(page).not_to_have_url(re.compile("date="))
    expect(page.get_by_role("button", name="Day", exact=True)).to_have_attribute("aria-pressed", "true")


def test_the_filter_is_in_the_address_and_finds_verdicts(server: Server, context: BrowserContext) -> None:
    page = last_week(context, server)
    page.get_by_role("button", name=re.compile("failed")).click()
    expect(page).to_have_url(re.compile("q=verdict%3Afailed"))
    expect(page.locator("svg[data-job]")).to_have_count(1)
    expect(lane(page, "flights-nightly")).to_be_visible()
    page.get_by_role("button", name="Remove filter verdict:failed").click()
    page.keyboard.type("tag:no-such-tag ")
    expect(page.get_by_role("heading", name="Nothing matches tag:no-such-tag")).to_be_visible()


def test_the_list_has_a_row_for_each_schedule_and_preset(server: Server, context: BrowserContext) -> None:
    page = sign_in(context, server, "root", "/nomaflow/schedule?view=list&q=job%3Areport")
    table = page.get_by_role("table", name="List")
    expect(table.locator("tbody tr")).to_have_count(3)
    expect(table.get_by_role("row", name=re.compile("evening"))).to_contain_text("America/New_York")
    expect(table.get_by_role("row", name=re.compile("last-year"))).to_contain_text("Preset")
    check_access(page)


def test_a_freeze_says_what_happens_to_what_it_holds(server: Server, context: BrowserContext) -> None:
    page = sign_in(context, server, "root", "/nomaflow/schedule")
    page.get_by_role("button", name="Freeze schedules").click()
    dialog = page.get_by_role("dialog", name="Freeze all schedules")
    dialog.get_by_label("Until").fill("2020-01-01T10:00")
    dialog.get_by_role("button", name="Freeze", exact=True).click()
    expect(dialog.get_by_text("This is in the past.")).to_be_visible()
    dialog.get_by_label("Until").fill("")
    dialog.get_by_label("Reason").fill("core switch")
    dialog.get_by_role("radio", name=re.compile("runs once")).check()
    check_access(page)
    dialog.get_by_role("button", name="Freeze", exact=True).click()
    expect(page.get_by_text("All schedules are frozen")).to_be_visible()
    assert server.root.get("/admin/freeze").json()["freeze"]["then"] == "latest"
    expect(page.get_by_text(re.compile("of them held back"))).to_be_visible()
    expect(lane(page, "crm-hourly-sync").locator("path.k-hold")).to_have_count(1)
    page.get_by_role("button", name="End the freeze").click()
    expect(page.get_by_role("dialog")).to_contain_text("The latest instant of each schedule runs now")
    page.get_by_role("button", name="End freeze").click()
    expect(page.get_by_text("Schedules fire again", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Freeze schedules")).to_be_visible()


def test_on_a_phone_a_day_is_a_list(server: Server, browser: Browser) -> None:
    with browsing(browser, size=PHONE) as context:
        page = last_week(context, server)
        days = page.get_by_role("group", name="Day")
        expect(days.get_by_role("button")).to_have_count(7)
        expect(days.get_by_role("button", pressed=True)).to_contain_text("3")
        row = page.get_by_role("button", name=re.compile("billing-nightly-rebuild"))
        expect(row).to_contain_text("missed")
        row.click()
        expect(page.get_by_role("dialog")).to_contain_text("scheduler was down")
        check_access(page)
        page.get_by_role("button", name="Close").click()
        days.get_by_role("button").first.click()
        expect(row).to_contain_text("succeeded")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_who_may_only_read_sees_only_their_jobs_and_no_actions(
    server: Server, context: BrowserContext
) -> None:
    page = sign_in(context, server, "bob", "/nomaflow/schedule")
    expect(page.locator("svg[data-job]")).to_have_count(1)
    expect(lane(page, "greet")).to_be_visible()
    expect(page.get_by_role("button", name="Freeze schedules")).to_have_count(0)
