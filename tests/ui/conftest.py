"""The page built once, one browser and one server for the tests of a module."""

import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.server import server
from tests.ui.page import ROOT, Seen, browsing, launch

__all__ = ["server"]


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    """What is served is what web/ says now."""
    script = "root=$PWD; . requirements/environment.sh; . requirements/web.sh; ensure_page"
    subprocess.run(["sh", "-euc", script], cwd=ROOT, check=True, timeout=600)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Not for the whole session: while it is open, no other test of this process can run an event loop."""
    with sync_playwright() as playwright:
        chromium = launch(playwright)
        yield chromium
        chromium.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browsing(browser) as found:
        yield found


@pytest.fixture
def seen(context: BrowserContext) -> Seen:
    """Every error the browser tells about, in all pages of the context."""
    found = Seen()
    context.on("page", found.watch)
    return found
