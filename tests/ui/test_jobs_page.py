"""The jobs page: what it shows, finding, running, switching off, live rows, keys."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.server import Server, lay_out, serving
from tests.ui.page import check_access, picture, sign_in

MANY = "".join(
    f'[[jobs]]\nname = "job-{number:03}"\n[[jobs.steps]]\ntype = "python"\ncallable = "hello.jobs:say"\n'
    for number in range(500)
)


@pytest.fixture(scope="module")
def long_list(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(lay_out(tmp_path_factory.mktemp("many"), jobs=MANY)) as found:
        yield found


def test_the_table_shows_every_job_and_what_is_wrong_with_a_broken_one(
    server: Server, context: BrowserContext
) -> None:
    page = sign_in(context, server, "root")
    broken = page.get_by_role("row", name=re.compile("broken"))
    expect(broken).to_contain_text("Quarantined")
    expect(broken).to_contain_text("schedul")
    expect(broken.get_by_role("button", name="Run broken now")).to_be_disabled()
    greet = page.get_by_role("row", name=re.compile(r"\bgreet\b"))
    expect(greet).to_contain_text("0 2 * * *")
    check_access(page)
    picture(page, "jobs")


def test_the_filter_and_the_address_are_one(server: Server, context: BrowserContext) -> None:
    page = sign_in(context, server, "root", "/nomaflow?q=tag%3Atest")
    expect(page.get_by_text("1 of ")).to_be_visible()
    page.get_by_role("button", name="Remove filter tag:test").click()
    expect(page).to_have_url(f"{server.url}/nomaflow")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("-app:hello ")
    expect(page.get_by_role("button", name="Remove filter -app:hello")).to_be_visible()
    page.keyboard.type("nothing-like-this")
    expect(page.get_by_role("heading", name="Nothing matches -app:hello nothing-like-this")).to_be_visible()
    page.get_by_role("button", name="Clear all").click()
    expect(page.get_by_role("row", name=re.compile("chatty"))).to_be_visible()
    page.get_by_role("group", name="Jobs by state").get_by_role("button", name="Quarantined").click()
    expect(page).to_have_url(re.compile("q=state%3Aquarantined"))
    expect(page.locator("tbody tr")).to_have_count(1)


def test_run_now_and_the_row_changes_by_itself(server: Server, context: BrowserContext) -> None:
    page = sign_in(context, server, "root")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    page.get_by_role("button", name="Run wait now").click()
    expect(page.get_by_text(re.compile(r"r-\d+ started"))).to_be_visible()
    row = page.get_by_role("row", name=re.compile("wait"))
    expect(row).to_contain_text("Running")
    row.get_by_role("button", name="Abort wait").click()
    page.get_by_role("dialog", name=re.compile(r"Abort r-\d+")).get_by_role(
        "button", name="Abort run"
    ).click()
    expect(row).not_to_contain_text("Running")


def test_keys_move_between_rows_and_run_the_one_in_focus(server: Server, context: BrowserContext) -> None:
    page = sign_in(context, server, "root")
    expect(page.get_by_role("row", name=re.compile("chatty"))).to_be_visible()
    for _ in range(4):
        page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator('tr[data-key="chatty"]')).to_be_focused()
    page.keyboard.press("x")
    expect(page.get_by_role("checkbox", name="Select chatty")).to_be_checked()
    page.keyboard.press("r")
    expect(page.get_by_text(re.compile(r"r-\d+ started"))).to_be_visible()


def test_the_switch_is_written_to_the_file(
    context: BrowserContext, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with serving(lay_out(tmp_path_factory.mktemp("switch"))) as server:
        page = sign_in(context, server, "root")
        switch = page.get_by_role("switch", name="greet enabled")
        expect(switch).to_be_checked()
        switch.click(force=True)
        expect(page.get_by_text("greet is off")).to_be_visible()
        expect(switch).not_to_be_checked()
        assert "enabled = false" in (server.config / "jobs.toml").read_text()


def test_values_are_offered_while_typing_and_a_filter_is_kept_by_name(
    server: Server, context: BrowserContext
) -> None:
    page = sign_in(context, server, "root")
    expect(page.get_by_role("row", name=re.compile("chatty"))).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("ta")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("option", name="test 1")).to_be_visible()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Remove filter tag:test")).to_be_visible()
    expect(page).to_have_url(re.compile("q=tag%3Atest"))
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Saved filters").click()
    page.get_by_role("menuitem", name="Save this filter").click()
    page.get_by_label("Name").fill("Night desk")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("button", name="Night desk")).to_be_visible()
    page.goto(f"{server.url}/nomaflow")
    page.get_by_role("button", name="Saved filters").click()
    page.get_by_role("menuitem", name="Night desk").click()
    expect(page.locator("tbody tr")).to_have_count(1)


def test_many_jobs_are_run_at_once_and_what_is_refused_is_said(
    server: Server, context: BrowserContext
) -> None:
    page = sign_in(context, server, "root")
    for name in ("greet2", "chatty", "broken"):
        page.get_by_role("checkbox", name=f"Select {name}").check()
    bar = page.get_by_role("region", name="3 jobs selected")
    bar.get_by_role("button", name="Run now").click()
    dialog = page.get_by_role("dialog", name="Run 2 jobs now?")
    expect(dialog).not_to_contain_text("broken")
    dialog.get_by_role("button", name="Run 2 jobs").click()
    expect(page.get_by_text("2 jobs started")).to_be_visible()
    bar.get_by_role("button", name="Clear the selection").click()
    expect(bar).to_have_count(0)


def test_a_freeze_is_said_above_everything_and_let_go(
    context: BrowserContext, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with serving(lay_out(tmp_path_factory.mktemp("freeze"))) as server:
        server.root.post("/admin/freeze", json={"reason": "core switch", "then": "latest"})
        page = sign_in(context, server, "root")
        note = page.get_by_role("status").filter(has_text="All schedules are frozen")
        expect(note).to_contain_text("root: core switch")
        expect(page.get_by_role("complementary", name="Next 24 h")).to_contain_text("Freeze")
        expect(page.get_by_role("row", name=re.compile(r"\bgreet\b"))).to_contain_text("Frozen")
        check_access(page)
        note.get_by_role("button", name="Unfreeze").click()
        expect(page.get_by_role("row", name=re.compile(r"\bgreet\b"))).not_to_contain_text("Frozen")
        expect(note).to_have_count(0)


def test_what_one_may_not_do_is_not_there(server: Server, context: BrowserContext) -> None:
    page = sign_in(context, server, "bob")
    expect(page.get_by_role("row", name=re.compile("greet"))).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.get_by_role("button", name=re.compile("Run "))).to_have_count(0)
    expect(page.get_by_role("switch")).to_have_count(0)
    expect(page.get_by_role("button", name="Reload files")).to_have_count(0)


def test_five_hundred_jobs_are_at_most_fifty_rows(long_list: Server, context: BrowserContext) -> None:
    page = sign_in(context, long_list, "root")
    table = page.get_by_role("table", name="Jobs")
    expect(table).to_have_attribute("aria-rowcount", re.compile(r"50\d"))
    for place in (0, 0.5, 1):
        page.evaluate("place => scrollTo(0, place * document.documentElement.scrollHeight)", place)
        expect(page.locator("tbody tr[data-key]").first).to_be_visible()
        assert 5 <= page.locator("tbody tr[data-key]").count() <= 50
    expect(page.locator('tr[data-key="job-499"]')).to_be_visible()
