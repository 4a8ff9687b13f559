"""A job's own page: facts, strip and why, schedules, runs, marks, pause, backfill."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.server import Server, lay_out, serving
from tests.ui.history import remember
from tests.ui.page import check_access, picture, sign_in


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose job `greet` has a past."""
    with serving(lay_out(tmp_path_factory.mktemp("used"))) as found:
        remember(
            found, "greet", "s" * 40 + "mmc" + "s" * 14 + "lff", every=timedelta(days=1), seconds=(20, 35, 28)
        )
        yield found


def open_job(context: BrowserContext, server: Server, name: str = "root") -> Page:
    page = sign_in(context, server, name, "/nomaflow/jobs/greet")
    expect(page.get_by_role("heading", name="greet", level=1)).to_be_visible()
    return page


def test_everything_about_a_job_is_on_its_page(used: Server, context: BrowserContext) -> None:
    page = open_job(context, used)
    expect(page.locator(".job-state")).to_contain_text("2 in a row")
    expect(
        page.get_by_role("img", name=re.compile("^greet, last 60 due instants: .*2 missed.*2 failed"))
    ).to_be_visible()
    facts = page.get_by_role("region", name="Facts")
    expect(facts).to_contain_text("hello")
    expect(facts).to_contain_text("config/jobs.toml:2")
    schedule = page.get_by_role("region", name="Schedule")
    expect(schedule).to_contain_text("0 2 * * *")
    expect(schedule.get_by_role("list", name="Next fires").get_by_role("listitem")).to_have_count(3)
    expect(page.get_by_role("region", name="Last runs").get_by_role("row")).to_have_count(26)
    check_access(page)
    picture(page, "job")


def test_w_on_an_instant_says_what_became_of_it(used: Server, context: BrowserContext) -> None:
    page = open_job(context, used)
    page.get_by_role("img", name=re.compile("^greet, last 60")).focus()
    for _ in range(19):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("w")
    answer = page.get_by_role("dialog", name="Why, greet")
    expect(answer).to_contain_text("missed")
    page.keyboard.press("Escape")
    expect(answer).to_have_count(0)
    expect(page.get_by_role("img", name=re.compile("^greet, last 60"))).to_be_focused()


def test_pausing_says_until_when_and_why_and_ends_again(used: Server, context: BrowserContext) -> None:
    page = open_job(context, used)
    page.get_by_role("button", name="Pause").click()
    dialog = page.get_by_role("dialog", name="Pause greet")
    dialog.get_by_label("Until").fill("2020-01-01T08:00")
    expect(dialog.get_by_role("button", name="Pause")).to_be_disabled()
    dialog.get_by_label("Until").fill("2099-01-01T08:00")
    dialog.get_by_label("Reason").fill("new template")
    dialog.get_by_label("runs once, for the latest instant").check()
    check_access(page)
    dialog.get_by_role("button", name="Pause").click()
    expect(page.locator(".job-state")).to_contain_text("Paused")
    expect(page.get_by_role("region", name="Facts")).to_contain_text("root: new template")
    pause = used.root.get("/admin/jobs/greet").json()["pause"]
    assert (pause["until"], pause["then"]) == ("2099-01-01T07:00:00.000Z", "latest")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".job-state")).not_to_contain_text("Paused")


def test_a_backfill_runs_what_is_missing_and_is_listed(used: Server, context: BrowserContext) -> None:
    page = open_job(context, used)
    page.get_by_role("region", name="Backfills").get_by_role("button", name="Backfill").click()
    dialog = page.get_by_role("dialog", name="Backfill greet")
    dialog.get_by_label("From").fill("2026-03-05")
    dialog.get_by_label("To").fill("2026-03-04")
    expect(dialog.get_by_role("alert")).to_contain_text("ends before it begins")
    dialog.get_by_label("To").fill("2026-03-06")
    dialog.get_by_role("button", name="Start backfill").click()
    expect(page.get_by_text("2 runs queued")).to_be_visible()
    expect(page.get_by_role("region", name="Backfills")).to_contain_text("2 of 2 done")


def test_who_may_only_read_finds_nothing_to_press(used: Server, context: BrowserContext) -> None:
    page = open_job(context, used, "bob")
    expect(page.get_by_role("region", name="Last runs")).to_be_visible()
    for name in ("Run now", "Run with parameters", "Pause", "Edit", "Backfill"):
        expect(page.locator("main").get_by_text(name, exact=True)).to_have_count(0)
    page.goto(f"{used.url}/nomaflow/jobs/greet2")
    expect(page.get_by_role("heading", name="Nothing here for you")).to_be_visible()
