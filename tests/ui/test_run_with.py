"""Run with parameters: the typed form, presets, steps; what is sent, and what is refused before it is."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.server import Server, lay_out, serving
from tests.ui.page import check_access, picture, sign_in

JOBS = """\
[[jobs]]
name = "load"
app = "hello"
[[jobs.params]]
name = "who"
default = "world"
description = "Whom to greet"
[[jobs.params]]
name = "count"
type = "int"
default = 3
[[jobs.params]]
name = "loud"
type = "bool"
default = false
[[jobs.params]]
name = "day"
type = "date"
required = true
[[jobs.params]]
name = "mode"
choices = ["full", "delta"]
default = "delta"
[[jobs.params]]
name = "connector"
default = "orders"
[[jobs.params]]
name = "api_token"
default = "kept-to-itself"
[[jobs.presets]]
name = "quick"
params = { count = 1 }
step_enabled = { chat = false }
[[jobs.steps]]
type = "python"
name = "say"
callable = "hello.jobs:say"
[[jobs.steps]]
type = "python"
name = "chat"
callable = "hello.jobs:talk"
op_kwargs = { lines = 2 }
"""
CONNECTORS = '[connectors.orders]\ntype = "sql"\npool = "default"\n[connectors.stock]\ntype = "sql"\npool = "default"\n'


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(lay_out(tmp_path_factory.mktemp("asking"), jobs=JOBS, connectors=CONNECTORS)) as found:
        yield found


def field(dialog: Locator, name: str) -> Locator:
    """By its name; the label goes on with the kind of value."""
    return dialog.get_by_label(re.compile(rf"^{name}\b"))


def open_form(context: BrowserContext, server: Server) -> tuple[Page, Locator]:
    page = sign_in(context, server, "root", "/nomaflow")
    page.locator('tr[data-key="load"]').focus()
    page.keyboard.press("Shift+R")
    dialog = page.get_by_role("dialog", name="Run load")
    expect(field(dialog, "who")).to_be_visible()
    return page, dialog


def test_only_what_differs_is_sent(asking: Server, context: BrowserContext) -> None:
    page, dialog = open_form(context, asking)
    expect(field(dialog, "api_token")).to_have_value("")
    field(dialog, "day").fill("2026-03-01")
    field(dialog, "count").fill("7")
    dialog.get_by_role("switch", name="loud").click(force=True)
    field(dialog, "mode").select_option("full")
    field(dialog, "connector").select_option("stock")
    dialog.get_by_role("button", name="chat: 1 argument").click()
    field(dialog, "lines").fill("5")
    dialog.get_by_label("Log level").select_option("DEBUG")
    expect(dialog).to_contain_text("Sends only what differs: 7 values")
    check_access(page)
    picture(page, "run-with-parameters")
    with page.expect_request("**/admin/jobs/load/run") as sent:
        dialog.get_by_role("button", name="Run", exact=True).click()
    assert sent.value.post_data_json == {
        "params": {"day": "2026-03-01", "count": 7, "loud": True, "mode": "full", "connector": "stock"},
        "op_kwargs": {"chat": {"lines": 5}},
        "log_level": "DEBUG",
    }
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Watch")).to_be_visible()


def test_a_preset_is_named_and_only_its_exceptions_are_sent(asking: Server, context: BrowserContext) -> None:
    page, dialog = open_form(context, asking)
    dialog.get_by_role("button", name="quick").click()
    expect(field(dialog, "count")).to_have_value("1")
    expect(dialog.get_by_role("checkbox", name="chat")).not_to_be_checked()
    dialog.get_by_role("checkbox", name="chat").check()
    field(dialog, "day").fill("2026-03-01")
    with page.expect_request("**/admin/jobs/load/run") as sent:
        dialog.get_by_role("button", name="Run", exact=True).click()
    assert sent.value.post_data_json == {
        "params": {"day": "2026-03-01"},
        "step_enabled": {"chat": True},
        "preset": "quick",
    }


def test_what_is_missing_or_wrong_is_said_at_its_field(asking: Server, context: BrowserContext) -> None:
    page, dialog = open_form(context, asking)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url) if request.method == "POST" else None)
    field(dialog, "count").fill("seven")
    expect(field(dialog, "count")).to_have_accessible_description("Not a whole number")
    dialog.get_by_role("button", name="Run", exact=True).click()
    expect(field(dialog, "day")).to_have_accessible_description("A value is needed")
    assert requests == []
    for step in ("say", "chat"):
        dialog.get_by_role("checkbox", name=step).uncheck()
    expect(dialog).to_contain_text("No step would run")
    page.keyboard.press("Escape")
    expect(page.locator('tr[data-key="load"]')).to_be_focused()
