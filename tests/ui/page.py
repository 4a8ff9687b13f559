"""A browser on a real server: signed-in pages, what the console said, accessibility, pictures for the docs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from tests.server import Server

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "images"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP, PHONE = (1280, 800), (390, 844)
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


def launch(playwright: Playwright) -> Browser:
    """The system's Chromium. A missing one is an error: requirements/system.sh installs it."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)


@dataclass
class Seen:
    """What a page said that no test expects: errors of scripts, refusals of the content policy, failed requests."""

    errors: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)


@contextmanager
def browsing(
    browser: Browser, *, size: tuple[int, int] = DESKTOP, **options: Any
) -> Iterator[BrowserContext]:
    """A browser of its own, as of somebody who has never been here. English unless said otherwise."""
    width, height = size
    settings = {"locale": "en-GB", "timezone_id": "Europe/Paris", "reduced_motion": "reduce", **options}
    context = browser.new_context(viewport={"width": width, "height": height}, **settings)
    context.set_default_timeout(15_000)
    try:
        yield context
    finally:
        context.close()


def sign_in(context: BrowserContext, server: Server, name: str, path: str = "/", prefix: str = "") -> Page:
    """A page at `path`, signed in by a one-time link."""
    sessions = server.runtime.accounts.sessions
    token = server.lane.submit(sessions.create_link(name, actor="test")).result(20)
    page = context.new_page()
    page.goto(f"{server.url}{prefix}/auth/link?token={token}")
    page.wait_for_url(lambda url: "/auth/link" not in url)
    if path != "/":
        page.goto(f"{server.url}{prefix}{path}")
    return page


def violations(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 AA: rule, and where."""
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{rule['id']}: {[node['html'][:120] for node in rule['nodes']]}" for rule in found]


def check_access(page: Page) -> None:
    """No violation in light, in dark, and at phone width; the page never scrolls sideways."""
    before = page.viewport_size
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = violations(page)
        assert found == [], f"{scheme}: {found}"
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    found = violations(page)
    assert found == [], f"phone: {found}"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
    page.emulate_media(color_scheme="no-preference")
    if before is not None:
        page.set_viewport_size(before)


def picture(page: Page, name: str) -> None:
    """A picture for the docs, `docs/images/<name>.png`; written when NOMAFLOW_PICTURES is set, else only tried."""
    PICTURES.mkdir(exist_ok=True)
    path = PICTURES / f"{name}.png"
    written = page.screenshot(animations="disabled", caret="hide")
    if os.environ.get("NOMAFLOW_PICTURES"):
        path.write_bytes(written)
