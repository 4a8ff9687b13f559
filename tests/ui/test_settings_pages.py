"""The settings pages: the state of the machinery, pools, connectors, and the file they stand in."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.server import JOBS, PLUGIN, Server, lay_out, serving
from tests.ui.page import Seen, check_access, picture, sign_in

CONNECTORS = """\
# where things are
[pools.default]
url = "sqlite:///data/nomaflow.db"

[pools.warehouse]
url = "sqlite:///data/warehouse.db"
max_runs = 3

[pools.away]
url = "postgresql://flow:not-to-be-seen@127.0.0.1:1/away"

[connectors.orders]
type = "sql"
pool = "warehouse"
label = "Orders"
[[connectors.orders.queries]]
name = "numbers"
sql = "SELECT 1 AS id, :who AS who UNION ALL SELECT 2, NULL"
[[connectors.orders.queries.params]]
name = "who"
default = "Alice"
[[connectors.orders.queries]]
name = "clear"
sql = "DELETE FROM orders"
writable = true

[connectors.mail]
type = "api"
base_url = "https://mail.example"
auth_type = "bearer"
auth_token = "hush-hush-42"
[[connectors.mail.endpoints]]
name = "send"
method = "POST"
path = "/send"
"""
MORE_JOBS = """
[[jobs]]
name = "holds"
app = "hello"
[[jobs.steps]]
type = "python"
name = "hold"
callable = "hello.jobs:hold"

[[jobs]]
name = "fails"
app = "hello"
[[jobs.steps]]
type = "python"
name = "fail"
callable = "hello.jobs:fail"
"""
MORE_CODE = '''

async def hold(**_):
    """Keeps its loop, as nobody should."""
    import time

    time.sleep(2.5)


def fail(**_):
    raise ValueError("rate 85 is below 92")
'''


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = lay_out(tmp_path_factory.mktemp("settings"), jobs=JOBS + MORE_JOBS, connectors=CONNECTORS)
    plugin = folder.parent / "plugins" / "hello" / "jobs.py"
    plugin.write_text(PLUGIN + MORE_CODE)
    with serving(folder) as found:
        yield found


def test_a_sentence_says_how_the_scheduler_is_and_runs_can_be_aborted(
    server: Server, context: BrowserContext, seen: Seen
) -> None:
    server.ended(server.start("fails"))
    run_id = server.start("wait")
    page = sign_in(context, server, "root", "/settings")
    expect(page).to_have_url(re.compile("/settings/technical$"))
    expect(page.get_by_text("The scheduler is alive")).to_be_visible()
    expect(page.get_by_text("1 job quarantined")).to_be_visible()
    flying = page.get_by_role("region", name="In flight").get_by_role("row", name=re.compile(run_id))
    expect(flying).to_contain_text("running")
    expect(flying).to_contain_text("waiting")
    failures = page.get_by_role("region", name="Recent failures")
    expect(failures.get_by_role("row", name=re.compile("fails"))).to_contain_text("rate 85 is below 92")
    check_access(page)
    picture(page, "technical")
    flying.get_by_role("button", name=f"Abort {run_id}").click()
    expect(page.get_by_role("dialog")).to_contain_text("wait would stop in step waiting")
    page.get_by_role("button", name="Abort run").click()
    expect(failures.get_by_role("row", name=re.compile(run_id))).to_contain_text("aborted")
    expect(page.get_by_text("Nothing runs right now.")).to_be_visible()
    assert seen.errors == []


def test_the_line_that_held_the_loop_is_named(server: Server, context: BrowserContext) -> None:
    page = sign_in(context, server, "root", "/settings/technical")
    run_id = server.start("holds")
    lag = page.get_by_role("region", name="Event loop lag")
    expect(lag.get_by_role("link", name=run_id)).to_be_visible()
    expect(lag).to_contain_text("hello/jobs.py")
    expect(lag).to_contain_text("make the function a plain def")
    check_access(page)


def test_updates_can_be_held_and_the_freeze_is_told(server: Server, context: BrowserContext) -> None:
    page = sign_in(context, server, "root", "/settings/technical")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    page.get_by_role("button", name="Pause updates").click()
    expect(page.get_by_text("Paused", exact=True)).to_be_visible()
    page.get_by_role("button", name="Freeze schedules").click()
    page.get_by_label("Reason").fill("core switch")
    page.get_by_role("button", name="Freeze", exact=True).click()
    line = page.get_by_text("Schedules are frozen by")
    expect(line).to_contain_text("core switch")
    expect(line).to_contain_text("What falls due meanwhile is not run.")
    page.get_by_role("button", name="End the freeze").click()
    page.get_by_role("button", name="End freeze").click()
    expect(line).to_have_count(0)


def test_a_pool_is_tested_and_reloaded(server: Server, context: BrowserContext) -> None:
    page = sign_in(context, server, "root", "/settings/pools")
    warehouse = page.get_by_role("listitem").filter(has_text="warehouse")
    expect(warehouse).to_contain_text("not opened yet")
    page.get_by_role("button", name="Test warehouse").click()
    expect(warehouse).to_contain_text("answered in")
    expect(warehouse).to_contain_text("3 runs at once")
    page.get_by_role("button", name="Test away").click()
    away = page.get_by_role("listitem").filter(has_text="away")
    expect(away).to_contain_text("did not answer")
    expect(page.locator("body")).not_to_contain_text("not-to-be-seen")
    check_access(page)
    picture(page, "pools")
    page.get_by_role("button", name="Reload warehouse").click()
    page.get_by_role("button", name="Reload pool").click()
    expect(page.get_by_text("warehouse was reloaded")).to_be_visible()
    expect(warehouse).to_contain_text("0 of 15 open")


def test_a_read_query_is_run_with_its_parameters(server: Server, context: BrowserContext) -> None:
    page = sign_in(context, server, "root", "/settings/connectors")
    page.get_by_role("button", name=re.compile("^orders")).click()
    expect(page).to_have_url(re.compile("name=orders"))
    page.get_by_role("button", name=re.compile("^numbers")).click()
    page.get_by_label("who").fill("Bob")
    page.keyboard.press("Enter")
    rows = page.get_by_role("group", name="Result")
    expect(rows.get_by_role("row", name=re.compile("Bob"))).to_be_visible()
    expect(rows.get_by_role("row", name=re.compile("null"))).to_be_visible()
    expect(page.get_by_text(re.compile("^2 rows in"))).to_be_visible()
    # What writes is listed, and not offered.
    expect(page.get_by_text("clear", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^clear"))).to_have_count(0)
    check_access(page)


def test_tables_and_columns_are_browsed(server: Server, context: BrowserContext) -> None:
    with closing(sqlite3.connect(server.config.parent / "data" / "warehouse.db")) as made:
        made.executescript(
            "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, born DATE);"
            "CREATE VIEW grown_ups AS SELECT * FROM customers;"
        )
    page = sign_in(context, server, "root", "/settings/connectors?name=orders")
    page.get_by_role("button", name="Tables").click()
    expect(page.get_by_text("2 tables")).to_be_visible()
    page.get_by_label("Find a table").fill("cust")
    expect(page.get_by_text("1 table", exact=True)).to_be_visible()
    page.get_by_role("button", name="customers").click()
    columns = page.get_by_role("table", name="Columns of customers")
    expect(columns.get_by_role("row", name=re.compile("^id"))).to_contain_text("Key")
    expect(columns.get_by_role("row", name=re.compile("^born"))).to_contain_text("yes")
    check_access(page)


def test_the_file_is_checked_line_by_line_and_saved(server: Server, context: BrowserContext) -> None:
    page = sign_in(context, server, "root", "/settings/connectors?view=file")
    text = page.get_by_label("Text of connectors.toml")
    expect(text).to_have_value(re.compile("# where things are"))
    written = text.input_value()
    assert "hush-hush-42" not in written
    assert "not-to-be-seen" not in written
    text.fill(written.replace("max_runs = 3", "max_runz = 4"))
    expect(page.get_by_text("did you mean 'max_runs'?")).to_be_visible()
    expect(page.get_by_role("button", name="line 7")).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    check_access(page)
    page.get_by_role("button", name="line 7").click()
    expect(text).to_be_focused()
    page.keyboard.type("max_runs = 5")
    expect(page.get_by_text("Nothing is wrong")).to_be_visible()
    page.keyboard.press("Control+s")
    expect(page.get_by_text("connectors.toml is saved and loaded")).to_be_visible()
    saved = (server.config / "connectors.toml").read_text()
    assert "max_runs = 5" in saved
    assert "hush-hush-42" in saved


def test_a_change_on_disk_is_a_choice(server: Server, context: BrowserContext) -> None:
    page = sign_in(context, server, "root", "/settings/connectors?view=file")
    text = page.get_by_label("Text of connectors.toml")
    text.fill(text.input_value().replace('"Orders"', '"Orders of all shops"'))
    path = server.config / "connectors.toml"
    path.write_text(path.read_text() + "# by hand\n")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("was changed on disk")).to_be_visible()
    page.get_by_role("button", name="Load the file").click()
    expect(text).to_have_value(re.compile("# by hand"))
    expect(text).to_have_value(re.compile('"Orders"'))


def test_who_may_see_less_is_shown_less(server: Server, context: BrowserContext) -> None:
    page = sign_in(context, server, "alice", "/settings/technical")
    expect(page.get_by_role("heading", name="Nothing here for you")).to_be_visible()
    page = sign_in(context, server, "editor", "/settings")
    expect(page.get_by_text("The scheduler is alive")).to_be_visible()
    expect(page.get_by_role("link", name="Connectors")).to_be_visible()
