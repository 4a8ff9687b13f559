"""The builder: form and text in step, steps, previews and tests, versions, conflicts, new jobs."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.server import Server, serving
from tests.ui.builder_repo import builder_repo
from tests.ui.page import Seen, check_access, picture, sign_in


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """For all tests of the module: each changes a job of its own."""
    with serving(builder_repo(tmp_path_factory.mktemp("desk"))) as found:
        yield found


def job(desk: Server, name: str) -> dict[str, Any]:
    """As the file says it."""
    jobs = tomllib.loads((desk.config / "jobs.toml").read_text())["jobs"]
    found: dict[str, Any] = next(one for one in jobs if one["name"] == name)
    return found


def steps(desk: Server, name: str) -> list[str]:
    return [step["name"] for step in job(desk, name)["steps"]]


def builder(context: BrowserContext, desk: Server, name: str) -> Page:
    page = sign_in(context, desk, "root", f"/nomaflow/jobs/{name}/edit")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(text(page)).to_contain_text("[[jobs.steps]]")
    return page


def text(page: Page) -> Locator:
    return page.get_by_role("complementary", name="TOML").get_by_role("textbox")


def save(page: Page, said: str | re.Pattern[str]) -> None:
    page.keyboard.press("Control+s")
    expect(page.get_by_text(said)).to_be_visible()


def test_form_and_text_are_one_document(desk: Server, context: BrowserContext, seen: Seen) -> None:
    page = builder(context, desk, "flights-nightly")
    expect(page.get_by_text("At 02:30")).to_be_visible()
    expect(page.get_by_text("clocks go from 02:00 to 03:00")).to_be_visible()
    expect(page.locator(".tl-in").first).to_contain_text("[[jobs.steps]]")
    check_access(page)
    picture(page, "builder")

    size = page.get_by_label("Batch size")
    size.fill("20k")
    expect(size).to_have_attribute("aria-invalid", "true")
    expect(size.locator("..")).to_contain_text("must be a whole number")
    expect(page.locator(".tl-note")).to_contain_text("batch_size: must be a whole number")
    expect(page.get_by_role("button", name="Line 35: batch_size")).to_be_visible()
    expect(page.get_by_role("button", name="Save as v2")).to_be_disabled()
    page.locator(".tl-note").get_by_role("button", name="Use 20000").click()
    expect(size).to_have_value("20000")
    expect(page.get_by_text("No problems")).to_be_visible()

    text(page).locator(".cm-line", has_text="schedule = ").click()
    page.keyboard.press("Home")
    page.keyboard.press("Shift+End")
    page.keyboard.type('schedule = "15 4 * * *"')
    expect(page.get_by_label("When")).to_have_value("15 4 * * *")
    expect(page.get_by_text("At 04:15")).to_be_visible()
    expect(page.get_by_role("button", name="Save as v2")).to_be_enabled()
    save(page, "flights-nightly saved as v2")
    written = (desk.config / "jobs.toml").read_text()
    assert "batch_size = 20000 # the feed's own\n" in written
    assert job(desk, "flights-nightly")["schedule"] == "15 4 * * *"
    assert "# Tail numbers of the feed have blanks." in written
    assert seen.errors == []


def test_steps_are_ordered_by_keys_and_by_dragging(desk: Server, context: BrowserContext) -> None:
    page = builder(context, desk, "order")
    handle = page.get_by_role("button", name=re.compile("^Move one"))
    handle.focus()
    page.keyboard.press("Alt+ArrowDown")
    expect(page.get_by_text("one is step 2 of 3")).to_be_attached()
    expect(page.get_by_role("button", name=re.compile("^Move one, step 2 of 3"))).to_be_focused()
    last = page.get_by_role("button", name=re.compile("^Move three"))
    last.hover()
    page.mouse.down()
    page.mouse.move(0, 0, steps=2)
    box = page.get_by_role("list", name="Steps").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 10, steps=4)
    page.mouse.up()
    expect(page.get_by_role("button", name=re.compile("^Move three, step 1 of 3"))).to_be_visible()
    expect(page.get_by_text("in step with the form")).to_be_visible()

    page.get_by_role("button", name="More step actions").click()
    page.get_by_role("menuitem", name="Clone step").click()
    expect(page.get_by_role("button", name=re.compile("^Move three-2, step 2 of 4"))).to_be_visible()
    page.get_by_role("list", name="Steps").get_by_role("button", name=re.compile("4 one python")).click()
    page.get_by_role("button", name="More step actions").click()
    page.get_by_role("menuitem", name="Delete step").click()
    expect(page.get_by_text("3, in order")).to_be_visible()
    save(page, "order saved as v2")
    assert steps(desk, "order") == ["three", "three-2", "two"]
    assert "# the second" in (desk.config / "jobs.toml").read_text()


def test_functions_ask_for_their_arguments_and_statements_know_the_columns(
    desk: Server, context: BrowserContext
) -> None:
    page = builder(context, desk, "flights-nightly")
    page.get_by_role("button", name=re.compile("match-planes python")).click()
    expect(page.locator(".help")).to_have_text("Match planes to flights.")
    page.get_by_label("mode").select_option("full")
    expect(text(page)).to_contain_text('mode = "full"')
    page.get_by_label("limit").fill("x")
    expect(text(page)).to_contain_text('limit = "x"')
    page.get_by_label("limit").fill("")
    expect(text(page)).not_to_contain_text("limit")

    page.get_by_role("button", name=re.compile("fix-tailnums sql_query")).click()
    query = page.get_by_role("group", name="fix-tailnums").get_by_role("textbox", name="Query")
    query.click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" where dep_")
    page.get_by_role(
        "option", name=re.compile("dep_delay")
    ).click()  # the Enter key waits for the list to settle
    expect(query).to_contain_text("where dep_delay")
    expect(text(page)).to_contain_text("where dep_delay")
    page.keyboard.type(" > 1 and exists (select 1 from fli")
    expect(page.get_by_role("option", name=re.compile("flights"))).to_be_visible()


def test_a_step_is_looked_at_and_tried_out(desk: Server, context: BrowserContext) -> None:
    page = builder(context, desk, "flights-nightly")
    page.get_by_role("button", name="Preview").click()
    preview = page.get_by_role("region", name="Preview")
    expect(preview).to_contain_text("Source now20")
    expect(preview).to_contain_text("Rows lost4")
    expect(preview).to_contain_text("would stop: 4 of the target's 24 rows would be deleted")
    page.get_by_role("button", name=re.compile("match-planes python")).click()
    page.get_by_label("limit").fill("7")
    page.get_by_role("button", name="Test this step").click()
    page.get_by_role("button", name="Run the step").click()
    tested = page.get_by_role("region", name=re.compile(r"^Test r-\d+"))
    expect(tested).to_contain_text("succeeded")
    expect(tested).to_contain_text("7 rows")
    expect(tested.get_by_role("log")).to_contain_text("step match-planes · succeeded")


def test_a_job_from_nothing(desk: Server, context: BrowserContext) -> None:
    page = sign_in(context, desk, "root", "/nomaflow/jobs/new")
    create = page.get_by_role("button", name="Create job")
    expect(create).to_be_disabled()
    page.get_by_label("Name").fill("fresh")
    page.get_by_label("When").fill("every 15m")
    page.get_by_role("button", name="Add step").last.click()
    page.get_by_role("menuitem", name="python").click()
    page.get_by_label("Function").fill("flights.work:match")
    page.get_by_label("month").fill("2013-12")
    expect(page.get_by_text("No problems")).to_be_visible()
    check_access(page)
    create.click()
    expect(page).to_have_url(re.compile("/nomaflow/jobs/fresh/edit$"))
    expect(page.get_by_text("v1, as in the file")).to_be_visible()
    made = job(desk, "fresh")
    assert made["schedule"] == "every 15m"
    assert made["steps"][0]["op_kwargs"] == {"month": "2013-12"}


def test_versions_tell_what_changed_and_come_back(desk: Server, context: BrowserContext) -> None:
    page = builder(context, desk, "past")
    page.get_by_label("When").fill("0 7 * * *")
    save(page, "past saved as v2")
    page.get_by_role("button", name="Versions").click()
    page.get_by_role("button", name=re.compile("^v1")).click()
    dialog = page.get_by_role("dialog", name="Versions of past")
    expect(dialog.locator(".dl.removed")).to_contain_text('schedule = "0 6 * * *"')
    expect(dialog.locator(".dl.added")).to_contain_text('schedule = "0 7 * * *"')
    check_access(page)
    dialog.get_by_role("button", name="Restore v1").click()
    page.get_by_role("dialog", name="Restore v1?").get_by_role("button", name="Restore v1").click()
    expect(page.get_by_text("v1 restored as v3")).to_be_visible()
    expect(page.get_by_label("When")).to_have_value("0 6 * * *")
    assert job(desk, "past")["schedule"] == "0 6 * * *"


def test_a_file_that_changed_meanwhile_is_a_choice(desk: Server, context: BrowserContext) -> None:
    page = builder(context, desk, "sides")
    page.get_by_label("When").fill("0 8 * * *")
    file = desk.config / "jobs.toml"

    def elsewhere(schedule: str) -> None:
        now = desk.root.get("/admin/jobs/sides/definition").json()
        body = {"changes": [{"op": "set", "path": ["schedule"], "value": schedule}]}
        answer = desk.root.put(
            "/admin/jobs/sides/definition", json=body, headers={"If-Match": f'"{now["revision"]}"'}
        )
        assert answer.status_code == 200, answer.text

    elsewhere("0 9 * * *")
    banner = page.get_by_role("alert").filter(has_text="config/jobs.toml changed")
    page.keyboard.press("Control+s")
    expect(banner).to_contain_text("schedule 0 6 * * * → 0 9 * * *")
    banner.get_by_role("button", name="Show diff").click()
    expect(page.get_by_role("dialog").locator(".dl.added").last).to_contain_text("0 8 * * *")
    page.keyboard.press("Escape")
    banner.get_by_role("button", name="Keep mine").click()
    expect(banner).to_have_count(0)
    save(page, re.compile("sides saved as v3"))
    assert job(desk, "sides")["schedule"] == "0 8 * * *"

    page.get_by_label("When").fill("0 10 * * *")
    elsewhere("0 11 * * *")
    page.keyboard.press("Control+s")
    banner.get_by_role("button", name="Take theirs").click()
    expect(page.get_by_label("When")).to_have_value("0 11 * * *")
    assert 'schedule = "0 11 * * *"' in file.read_text()


def test_rename_copy_delete_and_undo(desk: Server, context: BrowserContext) -> None:
    page = builder(context, desk, "places")

    def choose(entry: str) -> None:
        page.get_by_role("button", name="Rename, duplicate, delete").click()
        page.get_by_role("menuitem", name=entry).click()

    choose("Rename")
    page.get_by_label("New name").fill("order")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("order")
    page.get_by_label("New name").fill("placed")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("placed")
    choose("Duplicate")
    expect(page.get_by_label("New name")).to_have_value("placed-copy")
    page.get_by_role("dialog").get_by_role("button", name="Duplicate").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("placed-copy")
    assert job(desk, "placed-copy")["enabled"] is False
    choose("Delete job")
    page.get_by_role("dialog").get_by_role("button", name="Delete job").click()
    expect(page).to_have_url(re.compile("/nomaflow$"))
    expect(page.get_by_text("placed-copy deleted")).to_be_visible()
    assert 'name = "placed-copy"' not in (desk.config / "jobs.toml").read_text()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("placed-copy is back")).to_be_visible()
    assert steps(desk, "placed-copy") == ["one", "two", "three"]


def test_a_text_that_cannot_be_read_and_leaving_without_saving(desk: Server, context: BrowserContext) -> None:
    page = builder(context, desk, "broken-text")
    text(page).locator(".cm-line").first.click()
    page.keyboard.press("Control+End")
    page.keyboard.type("x = = 1")
    expect(page.get_by_text("The text cannot be read.")).to_be_visible()
    expect(page.get_by_label("When")).to_be_disabled()
    expect(page.locator(".tl-bad")).to_contain_text("x = = 1")
    expect(page.get_by_role("button", name="Save as v2")).to_be_disabled()
    page.get_by_role("link", name="Jobs").first.click()
    page.get_by_role("button", name="Stay").click()
    expect(page).to_have_url(re.compile("broken-text/edit"))
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_label("When")).to_be_enabled()
    expect(page.get_by_text("v1, as in the file")).to_be_visible()
    page.get_by_role("link", name="Jobs").first.click()
    expect(page).to_have_url(re.compile("/nomaflow$"))


def test_who_may_not_edit_sees_no_builder(desk: Server, context: BrowserContext) -> None:
    page = sign_in(context, desk, "alice", "/nomaflow/jobs/new")
    expect(page.get_by_role("heading", name="Nothing here for you")).to_be_visible()
    expect(page.get_by_role("textbox", name="When")).to_have_count(0)
