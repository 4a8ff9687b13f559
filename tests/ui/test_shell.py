"""What stands round every page: signing in and out, the menu, keys, themes, languages, phones, the content policy."""

import re

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.server import Server
from tests.ui.page import PHONE, Seen, browsing, check_access, sign_in


def test_signing_in_with_a_password_leads_to_where_one_wanted_to_go(
    server: Server, context: BrowserContext, seen: Seen
) -> None:
    page = context.new_page()
    page.goto(f"{server.url}/nomaflow?q=greet")
    expect(page).to_have_url(re.compile(r"/sign-in\?next="))
    expect(page.get_by_text("Your session has ended")).to_be_visible()
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill("for-tests-only")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Jobs", level=1)).to_be_visible()
    expect(page).to_have_url(f"{server.url}/nomaflow?q=greet")
    # The one refusal is the question who this is, before anybody has signed in.
    assert [text for text in seen.errors if "401" not in text] == []


def test_a_wrong_password_says_so_at_the_field(server: Server, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{server.url}/sign-in")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("password")
    expect(page.get_by_label("Password")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Password")).to_be_focused()
    check_access(page)


def test_an_address_from_outside_leads_nowhere_else(server: Server, context: BrowserContext) -> None:
    page = sign_in(context, server, "root")
    page.goto(f"{server.url}/sign-in?next=//example.org/")
    expect(page).to_have_url(f"{server.url}/nomaflow")


def test_a_used_link_leads_to_the_sign_in_and_says_why(server: Server, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{server.url}/auth/link?token=nfl_used")
    expect(page.get_by_text("This sign-in link was used")).to_be_visible()


def test_signing_out_ends_the_session(server: Server, context: BrowserContext) -> None:
    page = sign_in(context, server, "root")
    page.get_by_role("button", name="Account: root").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_role("heading", name="Nomaflow")).to_be_visible()
    page.goto(f"{server.url}/nomaflow")
    expect(page).to_have_url(re.compile("/sign-in"))


def test_a_session_that_ends_leads_to_the_sign_in(server: Server, context: BrowserContext) -> None:
    page = sign_in(context, server, "alice", "/nomaflow?q=tag:test")
    # Everything the page reads by itself has come: what is refused is the click.
    expect(page.get_by_role("complementary", name="Next 24 h")).to_contain_text("greet")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    context.clear_cookies()
    page.get_by_role("button", name="Run greet now").click()
    expect(page).to_have_url(re.compile(r"/sign-in\?next=%2Fnomaflow%3Fq"))


@pytest.mark.parametrize(("person", "entries"), [("alice", ["Jobs"]), ("charlie", [])])
def test_the_menu_holds_what_one_may_do(
    server: Server, context: BrowserContext, person: str, entries: list[str]
) -> None:
    page = sign_in(context, server, person)
    expect(page.get_by_role("button", name=f"Account: {person}")).to_be_visible()
    menu = page.get_by_role("navigation", name="Main").get_by_role("link").all_inner_texts()
    assert [entry for entry in entries if entry not in menu] == []
    assert "Settings" not in menu
    assert bool(menu) == bool(entries)


def test_without_any_right_the_start_page_says_what_to_do(server: Server, context: BrowserContext) -> None:
    page = sign_in(context, server, "charlie")
    expect(page.get_by_text("no role of yours")).to_be_visible()
    page.goto(f"{server.url}/nomaflow")
    expect(page.get_by_role("heading", name="Nothing here for you")).to_be_visible()
    page.goto(f"{server.url}/nomaflow/no/such/page")
    expect(page.get_by_role("heading", name="Nothing here for you")).to_be_visible()
    check_access(page)


def test_the_palette_finds_pages_jobs_and_commands(server: Server, context: BrowserContext) -> None:
    page = sign_in(context, server, "root")
    expect(page.get_by_role("row", name=re.compile("chatty"))).to_be_visible()
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Search or run a command")
    expect(field).to_be_focused()
    field.fill("chat")
    expect(page.get_by_role("option", selected=True)).to_contain_text("chatty")
    check_access(page)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{server.url}/nomaflow/jobs/chatty")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Control+k")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_list_of_keys_and_switching_them_off(server: Server, context: BrowserContext) -> None:
    page = sign_in(context, server, "root")
    expect(page.get_by_role("table", name="Jobs")).to_be_visible()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(keys.get_by_text("Command palette")).to_be_visible()
    expect(keys.get_by_text("Next job")).to_be_visible()
    check_access(page)
    keys.get_by_role("switch", name="Single-key shortcuts").uncheck(force=True)
    page.keyboard.press("Escape")
    expect(keys).to_have_count(0)
    page.keyboard.press("?")
    page.keyboard.press("Control+k")  # still acts, and is the only one that does
    expect(page.get_by_role("dialog", name="Search or run a command")).to_be_visible()
    expect(keys).to_have_count(0)


def test_a_chosen_theme_is_there_before_anything_is_drawn(server: Server, context: BrowserContext) -> None:
    page = sign_in(context, server, "root")
    expect(page.get_by_role("button", name="Theme: as the system")).to_be_visible()
    page.keyboard.press("t")
    page.keyboard.press("t")
    expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(14, 17, 21)"
    page.goto(f"{server.url}/sign-in")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_french_for_who_chose_it_and_for_whose_browser_speaks_it(server: Server, browser: Browser) -> None:
    with browsing(browser, locale="fr-FR") as context:
        page = sign_in(context, server, "root")
        expect(page.get_by_role("heading", name="Tâches", level=1)).to_be_visible()
        assert page.evaluate("document.documentElement.lang") == "fr"
        page.get_by_role("button", name="Compte : root").click()
        page.get_by_role("menuitem", name="English").click()
        expect(page.get_by_role("heading", name="Jobs", level=1)).to_be_visible()
        page.reload()
        expect(page.get_by_role("heading", name="Jobs", level=1)).to_be_visible()


def test_on_a_phone_the_sections_are_at_the_bottom(server: Server, browser: Browser) -> None:
    with browsing(browser, size=PHONE) as context:
        page = sign_in(context, server, "root")
        box = page.get_by_role("navigation", name="Main").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] == PHONE[1]
        expect(page.get_by_text("greet2")).to_be_visible()
        check_access(page)


def test_no_rule_of_the_content_policy_is_broken_and_no_error_is_said(
    server: Server, context: BrowserContext, seen: Seen
) -> None:
    page = sign_in(context, server, "root")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    page.get_by_role("button", name="Account: root").click()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.reload()
    expect(page.get_by_role("table", name="Jobs")).to_be_visible()
    assert seen.errors == []
