"""The log pane: where it opens, levels, folds, search, links to lines, following, reconnecting, a very long log."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from liberty.jobs.run import LogLine
from liberty.jobs.store import logs
from tests.server import Server, lay_out, serving
from tests.ui.page import Seen, check_access, picture, sign_in
from tests.ui.test_prefix import below

JOBS = """
[[jobs]]
name = "nightly"
app = "hello"
[[jobs.steps]]
type = "python"
name = "fetch"
callable = "hello.jobs:fetch"
[[jobs.steps]]
type = "python"
name = "match"
callable = "hello.jobs:match"
retry = { attempts = 2, base_seconds = 0 }

[[jobs]]
name = "ticking"
app = "hello"
[[jobs.steps]]
type = "python"
name = "tick"
callable = "hello.jobs:tick"
"""
PLUGIN = '''
"""Functions of the tests."""

import asyncio
import logging
from pathlib import Path

log = logging.getLogger("reporting.enrich")


def fetch(**_):
    for number in range(30):
        log.info("GET page %d of 30 \\x1b[32m200\\x1b[0m", number + 1)


def match(**_):
    log.info("period=2013-11 rows=27268 min_match_pct=92")
    log.debug("loaded 3322 distinct tailnum values")
    log.warning("3968 rows without a plane, 73 have no \\x1b[1;33mtailnum\\x1b[0m; <b>top</b> carriers \\x1b[2K MQ")
    log.info("first line\\nsecond line of the same message")
    raise ValueError("match rate 85.4 % is below min_match_pct = 92")


async def tick(go: str, **_):
    """Says a line for each number written to the file, until there is a dot."""
    said = 0
    while True:
        text = Path(go).read_text()
        wanted = int(text.strip(".") or 0)
        while said < wanted:
            said += 1
            log.info("tick %d", said)
        if text.endswith("."):
            return
        await asyncio.sleep(0.02)
'''


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    config = lay_out(tmp_path_factory.mktemp("logs"), jobs=JOBS)
    (config.parent / "plugins" / "hello" / "jobs.py").write_text(PLUGIN)
    with serving(config) as found:
        yield found


@pytest.fixture(scope="module")
def failed(server: Server) -> str:
    run_id = server.start("nightly", {"log_level": "DEBUG"})
    assert server.ended(run_id)["status"] == "failed"
    return run_id


def opened(context: BrowserContext, server: Server, run_id: str, anchor: str = "") -> Page:
    page = sign_in(context, server, "root", f"/nomaflow/runs/{run_id}/log{anchor}")
    expect(page.get_by_role("log")).to_be_visible()
    return page


def test_a_failed_run_opens_at_its_first_error(server: Server, context: BrowserContext, failed: str) -> None:
    page = opened(context, server, failed)
    active = page.locator(".ll.cur")
    expect(active).to_contain_text("match rate 85.4 %")
    expect(active).to_contain_text("ERROR")
    expect(page.get_by_role("button", name=re.compile("fetch"))).to_have_attribute("aria-expanded", "false")
    picture(page, "log")
    check_access(page)


def test_levels_hide_lines_and_keep_their_numbers(
    server: Server, context: BrowserContext, failed: str
) -> None:
    page = opened(context, server, failed)
    everything = shown(page)
    assert everything == sorted(everything)
    page.get_by_role("group", name="Lowest level shown").get_by_role(
        "button", name=re.compile("Error")
    ).click()
    expect(page.locator(".ll.lv-info")).to_have_count(0)
    errors = [int(found) for found in page.locator(".ll.lv-error i").all_inner_texts()]
    assert len(errors) == 4
    assert set(errors) < set(everything)


def shown(page: Page) -> list[int]:
    """Numbers of the lines that are in the document."""
    return [int(text) for text in page.locator(".ll i").all_inner_texts()]


def test_what_a_line_holds_is_text_and_its_colours_are_roles(
    server: Server, context: BrowserContext, seen: Seen, failed: str
) -> None:
    page = opened(context, server, failed)
    line = page.locator(".ll", has_text="rows without a plane").first
    expect(line).to_contain_text("73 have no tailnum; <b>top</b> carriers \\x1b[2K MQ")
    expect(line.locator(".a-warn.a-bold")).to_have_text("tailnum")
    expect(line.locator(".ctl")).to_have_text("\\x1b")
    two = page.locator(".ll", has_text="second line of the same").first
    box = two.bounding_box()
    assert box is not None
    assert box["height"] == 40
    assert seen.errors == []


def test_a_search_opens_the_fold_it_lands_in(server: Server, context: BrowserContext, failed: str) -> None:
    page = opened(context, server, failed)
    page.get_by_role("log").focus()
    page.keyboard.press("/")
    page.keyboard.type("get PAGE")
    expect(page.get_by_role("search")).to_contain_text("1 of 30")
    fetch = page.get_by_role("button", name=re.compile("fetch"))
    expect(fetch).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".ll.cur mark")).to_have_text("GET page")
    page.keyboard.press("Enter")
    expect(page.locator(".ll.cur")).to_contain_text("page 2 of 30")
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".ll.cur")).to_contain_text("page 30 of 30")
    check_access(page)


def test_keys_move_the_active_line_fold_and_jump_between_errors(
    server: Server, context: BrowserContext, failed: str
) -> None:
    page = opened(context, server, failed)
    active = page.locator(".ll.cur i")
    first = int(active.inner_text())
    page.get_by_role("log").focus()
    page.keyboard.press("ArrowDown")
    expect(active).to_have_text(str(first + 1))
    page.keyboard.press("n")
    second = int(active.inner_text())
    assert second > first + 1
    page.keyboard.press("Shift+N")
    expect(active).to_have_text(str(first + 1))
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    fold = page.locator("[data-fold].cur")
    expect(fold).to_contain_text("fetch")
    page.keyboard.press("ArrowRight")
    expect(fold).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Enter")
    expect(fold).to_have_attribute("aria-expanded", "false")


def test_a_link_to_a_line_opens_there_and_is_what_is_copied(
    server: Server, context: BrowserContext, failed: str
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = opened(context, server, failed, "#L7")
    active = page.locator(".ll.cur")
    expect(active.locator("i")).to_have_text("7")
    expect(active).to_contain_text("GET page")
    page.get_by_role("button", name="Copy a link to line 7").click()
    expect(page.get_by_text("Link to line 7 copied")).to_be_visible()
    read = "navigator.clipboard.readText()"
    assert page.evaluate(read) == f"{server.url}/nomaflow/runs/{failed}/log#L7"
    page.get_by_role("log").focus()
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("c")
    expect(page.get_by_text("2 lines copied")).to_be_visible()
    copied = page.evaluate(read).splitlines()
    assert [re.sub(r"^\S+ ", "", line) for line in copied] == [
        "INFO reporting.enrich GET page 5 of 30 200",
        "INFO reporting.enrich GET page 6 of 30 200",
    ]


def test_the_log_as_text(server: Server, context: BrowserContext, failed: str) -> None:
    page = opened(context, server, failed)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download log").click()
    assert download.value.suggested_filename == f"{failed}.log"
    assert "GET page 30 of 30" in Path(download.value.path()).read_text()
    with context.expect_page() as other:
        page.get_by_role("link", name="Plain text").click()
    expect(other.value.get_by_text("GET page 30 of 30")).to_be_visible()


@pytest.fixture
def ticking(server: Server, tmp_path: Path) -> Iterator["Ticking"]:
    made = Ticking(server, tmp_path / "go")
    yield made
    made.say(made.said, end=True)
    server.ended(made.run_id)


class Ticking:
    """A run that says so many lines and no more until it is told to."""

    def __init__(self, server: Server, go: Path) -> None:
        self._go = go
        self.said = 0
        go.write_text("0")
        self.run_id = server.start("ticking", {"op_kwargs": {"tick": {"go": str(go)}}})

    def say(self, lines: int, *, end: bool = False) -> None:
        self.said = lines
        part = self._go.with_suffix(".part")
        part.write_text(f"{lines}{'.' if end else ''}")
        part.replace(self._go)


def ticks(page: Page) -> list[str]:
    return [text for text in page.locator(".ms").all_inner_texts() if text.startswith("tick ")]


def test_following_stops_when_one_scrolls_up_and_goes_on_at_the_end(
    server: Server, context: BrowserContext, ticking: Ticking
) -> None:
    page = opened(context, server, ticking.run_id)
    ticking.say(200)
    expect(page.get_by_text("tick 200", exact=True)).to_be_visible()
    follow = page.get_by_role("button", name="Follow")
    expect(follow).to_have_attribute("aria-pressed", "true")
    page.get_by_role("log").hover()
    page.mouse.wheel(0, -300)
    expect(follow).to_have_attribute("aria-pressed", "false")
    stays = page.locator(".ll", has_text=re.compile(r"tick 175$"))
    before = stays.bounding_box()
    ticking.say(400)
    expect(page.get_by_text(re.compile(r"^4\d\d lines$"))).to_be_visible()
    assert stays.bounding_box() == before
    expect(page.get_by_text("tick 400", exact=True)).to_have_count(0)
    page.get_by_role("log").focus()
    page.keyboard.press("End")
    expect(page.get_by_text("tick 400", exact=True)).to_be_visible()
    ticking.say(450)
    expect(page.get_by_text("tick 450", exact=True)).to_be_visible()
    ticking.say(450, end=True)
    expect(page.locator("main").get_by_text("succeeded").first).to_be_visible()
    expect(follow).to_have_count(0)


def test_a_server_that_was_away_loses_no_line_and_says_none_twice(
    server: Server, context: BrowserContext, ticking: Ticking
) -> None:
    ports: list[int] = []
    inner = server.url
    try:
        with below(server, lambda app: app) as server.url:
            ports.append(int(server.url.rsplit(":", 1)[1]))
            page = opened(context, server, ticking.run_id)
            ticking.say(20)
            expect(page.get_by_text("tick 20", exact=True)).to_be_visible()
        ticking.say(40)  # nobody listens now
        expect(page.get_by_text(re.compile("Not connected, showing"))).to_be_visible()
        with below(server, lambda app: app, port=ports[0]):
            page.get_by_role("button", name="Reconnect").click()
            expect(page.get_by_text("tick 40", exact=True)).to_be_visible()
            ticking.say(50)
            expect(page.get_by_text("tick 50", exact=True)).to_be_visible()
            expect(page.get_by_text(re.compile("Not connected"))).to_have_count(0)
            page.set_viewport_size({"width": 1280, "height": 1600})
            expect(page.get_by_text("tick 1", exact=True)).to_be_visible()
            assert ticks(page) == [f"tick {number}" for number in range(1, 51)]
            numbers = shown(page)
            assert numbers == list(range(1, len(numbers) + 1))
            page.close()
    finally:
        server.url = inner


def test_a_hidden_tab_rests_and_catches_up(server: Server, context: BrowserContext, ticking: Ticking) -> None:
    context.clock.install()
    page = opened(context, server, ticking.run_id)
    ticking.say(10)
    expect(page.get_by_text("tick 10", exact=True)).to_be_visible()
    hide = """hidden => {
        Object.defineProperty(document, "hidden", {configurable: true, get: () => hidden});
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    with page.expect_websocket() as again:
        page.evaluate(hide, True)
        page.clock.fast_forward(31_000)
        ticking.say(20)
        page.evaluate(hide, False)
    assert "/socket.io/" in again.value.url
    expect(page.get_by_text("tick 20", exact=True)).to_be_visible()
    assert ticks(page) == [f"tick {number}" for number in range(1, 21)]


LONG = 120_000


@pytest.fixture(scope="module")
def long_log(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A run that has ended with many lines, an error at 60,000."""
    go = tmp_path_factory.mktemp("long") / "go"
    go.write_text("0.")
    run_id = server.start("ticking", {"op_kwargs": {"tick": {"go": str(go)}}})
    server.ended(run_id)
    number = int(run_id.removeprefix("r-"))
    first = len(server.root.get(f"/admin/jobs/runs/{run_id}/logs").json()["items"]) + 1
    now = datetime.now(UTC)
    lines = [
        LogLine(
            seq,
            now,
            "ERROR" if seq == LONG // 2 else "INFO" if seq % 2 else "DEBUG",
            "app",
            "tick",
            f"row {seq}",
        )
        for seq in range(first, LONG + 1)
    ]
    database = server.runtime.database
    for at in range(0, LONG, 10_000):
        server.lane.submit(database.write(logs.add, number, lines[at : at + 10_000])).result(60)
    return run_id


def test_a_very_long_log_is_few_rows_and_any_line_is_near(
    server: Server, context: BrowserContext, seen: Seen, long_log: str
) -> None:
    page = opened(context, server, long_log, f"#L{LONG - 777}")
    expect(page.locator(".ll.cur")).to_contain_text(f"row {LONG - 777}")
    expect(page.get_by_text("120,000 lines")).to_be_visible()
    page.get_by_role("log").focus()
    page.keyboard.press("End")
    expect(page.locator(".ll", has_text=f"row {LONG}")).to_be_visible()
    page.get_by_role("log").evaluate("pane => pane.scrollTop = pane.scrollHeight / 3")
    expect(page.locator(".ll", has_text=re.compile(r"row 40\d\d\d")).first).to_be_visible()
    assert 10 < page.locator(".ll").count() <= 60
    page.keyboard.press("n")
    expect(page.locator(".ll.cur")).to_contain_text("ERROR")
    expect(page.locator(".ll.cur")).to_contain_text(f"row {LONG // 2}")
    page.get_by_role("group", name="Lowest level shown").get_by_role("button", name="Info").click()
    expect(page.locator(".ll.cur")).to_contain_text(f"row {LONG // 2}")
    expect(page.locator(".ll", has_text=f"row {LONG // 2 + 1}")).to_be_visible()
    expect(page.locator(".ll", has_text=f"row {LONG // 2 + 2}")).to_have_count(0)
    page.get_by_label("Search the log").fill("row 99_")
    expect(page.get_by_role("search")).to_contain_text("No match")
    page.get_by_label("Search the log").fill("row 9999")
    # The server looks, as not all is held: at 9,999 and, from where one is, 99,991 to 99,999.
    expect(page.get_by_role("search")).to_contain_text("2 of 6")
    expect(page.locator(".ll.cur")).to_contain_text("row 99991")
    assert seen.errors == []


def test_a_log_one_may_not_see_looks_like_one_that_is_not_there(
    server: Server, context: BrowserContext, failed: str
) -> None:
    page = sign_in(context, server, "bob", f"/nomaflow/runs/{failed}/log")
    expect(page.get_by_role("heading", name="Nothing here for you")).to_be_visible()
    page.goto(f"{server.url}/nomaflow/runs/r-999999/log")
    expect(page.get_by_role("heading", name="Nothing here for you")).to_be_visible()
